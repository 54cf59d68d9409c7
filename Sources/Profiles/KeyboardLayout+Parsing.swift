import Decoding

extension KeyboardLayout {
    /// `[keys]` with one line per key: evdev code = [plain, Shift, AltGr, Shift+AltGr]; `[dead]` with one line per dead key that stands
    /// there as `dead NAME`: what it gives alone, then pairs of a letter and the same with the accent.
    init?(_ reader: TOMLTableReader, name: String) {
        _ = reader.string("description", maximum: 200)
        _ = reader.strings("sources", maximumCount: 10, maximum: 300)
        let deadKeys = reader.table("dead").map(Self.deadKeys) ?? [:]
        var keys: [UInt16: Key] = [:]
        if let table = reader.table("keys", isRequired: true) {
            for code in table.keys {
                guard let number = UInt16(code), (1...767).contains(number), String(number) == code else {
                    table.problem(code, "must be the number of a key, 1 to 767")
                    _ = table.strings(code)
                    continue
                }
                guard let levels = table.strings(code, maximumCount: 4, maximum: 24), !levels.isEmpty else { continue }
                let key = Key(levels: levels)
                for case .dead(let name) in key.levels where deadKeys[name] == nil {
                    table.problem(code, "there is no \(name) in [dead]")
                }
                keys[number] = key
            }
            table.finish()
        }
        reader.finish()
        guard reader.problems.isEmpty else { return nil }
        self.init(name: name, keys: keys, deadKeys: deadKeys)
    }

    private static func deadKeys(_ table: TOMLTableReader) -> [String: DeadKey] {
        defer { table.finish() }
        var deadKeys: [String: DeadKey] = [:]
        for name in table.keys {
            guard let texts = table.strings(name, maximumCount: 60, maximum: 16), let alone = texts.first, alone.count == 1 else {
                table.problem(name, "must begin with what it gives alone, one character")
                continue
            }
            var combinations: [String: String] = [:]
            for (index, pair) in texts.enumerated().dropFirst() {
                if pair.count == 2, let letter = pair.first, let whole = pair.last {
                    combinations[String(letter)] = String(whole)
                } else {
                    table.problem(at: table.path + [.key(name), .index(index)], "must be a letter and the same with the accent")
                }
            }
            deadKeys[name] = DeadKey(alone: alone, combinations: combinations)
        }
        return deadKeys
    }
}
