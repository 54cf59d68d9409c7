import Decoding
import Identifiers
import Ledger
import Profiles
import Readings
import SiteFiles

/// Something that outside input reaches.
struct FuzzTarget {
    var name: String
    var run: ([UInt8]) -> Void

    /// Every decoder by the name of its protocol, then everything else that reads foreign text or bytes.
    static func all(profiles folder: String) -> [FuzzTarget] {
        let library = ProfileLibrary(directories: [folder])
        let configurations = library.profiles.map(\.decoder) + DecoderConfiguration.defaults(layouts: library.layouts)
        var targets: [FuzzTarget] = []
        for name in DecoderConfiguration.Name.allCases {
            var known: [DecoderConfiguration] = []
            for configuration in configurations where configuration.name == name && !known.contains(configuration) {
                known.append(configuration)
            }
            guard !known.isEmpty else { continue }
            let check = DecoderCheck(known)
            targets.append(FuzzTarget(name: name.rawValue) { check.run($0) })
        }
        let sessions = SessionCheck(library.profiles.compactMap { try? $0.program() })
        targets += [
            FuzzTarget(name: "sessions") { sessions.run($0) }, FuzzTarget(name: "epc", run: epc),
            FuzzTarget(name: "scanned_code", run: scannedCode), FuzzTarget(name: "llrp_message", run: llrpMessage),
            FuzzTarget(name: "capture", run: capture), FuzzTarget(name: "profile") { profile($0, library) },
            FuzzTarget(name: "site_file") { _ = SiteFile.parse(String(decoding: $0, as: UTF8.self), file: "site.toml") },
            FuzzTarget(name: "master_batch", run: masterBatch),
        ]
        return targets
    }

    /// What an EPC says of itself is true.
    private static func epc(_ bytes: [UInt8]) {
        guard let epc = EPC(hex: Hex.text(bytes)) else { return }
        require(epc.bytes == bytes, "an EPC has other bytes than it was made from")
        let identity = epc.identity()
        require(!identity.canonicalURI.isEmpty, "an EPC without a URI")
        _ = identity.digitalLink
    }

    private static func scannedCode(_ bytes: [UInt8]) {
        let code = ScannedCode(scan: bytes, options: .init(message: .init(referenceYear: 2_026)))
        require(code.data.count <= bytes.count, "a scan grew")
        _ = code.canonicalURI
        if let message = code.message { require(message.elements.count <= bytes.count, "more elements than bytes") }
    }

    /// A message that can be decoded encodes to the bytes that it came from, whatever of it is unknown.
    private static func llrpMessage(_ bytes: [UInt8]) {
        guard bytes.count >= 10 else { return }
        var frame = bytes
        for index in 2..<6 { frame[index] = UInt8(truncatingIfNeeded: bytes.count >> (8 * (5 - index))) }
        guard let message = try? LLRPMessage(frame) else { return }
        require((try? message.encoded()) == frame, "an LLRP message encodes to other bytes than it was decoded from")
    }

    /// A line that can be read can be written and read again.
    private static func capture(_ bytes: [UInt8]) {
        guard let json = try? JSON(parsing: bytes) else { return }
        let written = json.canonicalBytes
        guard let again = try? JSON(parsing: written) else { fatalError("broken: our own JSON cannot be read") }
        require(again.canonicalBytes == written, "the canonical form is not one")
        if let header = try? Capture.Header(json: json) { _ = header.json.canonicalBytes }
        if let line = try? Capture.Line(json: json) {
            guard let second = try? Capture.Line(json: line.json) else { fatalError("broken: our own capture line cannot be read") }
            require(second.json.canonicalBytes == line.json.canonicalBytes, "a capture line changes when it is written again")
        }
    }

    /// Master data from upstream reads the same however it is cut; what can be applied can be laid over what is stored.
    private static func masterBatch(_ bytes: [UInt8]) {
        let cut = bytes.first.map { Int($0) % bytes.count } ?? 0
        let whole = batch(of: [bytes[...]])
        require(whole == batch(of: [bytes[..<cut], bytes[cut...]]), "a batch reads otherwise when it is cut")
        guard let whole else { return }
        for row in whole.rows(over: whole.rows) { _ = row.label }
    }

    private static func batch(of pieces: [ArraySlice<UInt8>]) -> MasterBatch? {
        var reader = MasterBatchReader()
        for piece in pieces where !reader.take(piece) { return nil }
        return try? reader.finish()
    }

    private static func profile(_ bytes: [UInt8], _ library: ProfileLibrary) {
        guard let document = try? TOMLDocument(file: "profile.toml", text: String(decoding: bytes, as: UTF8.self)) else { return }
        var library = library
        guard let profile = library.read(document, id: "acme/reader") else { return }
        // A good profile can be used.
        _ = library.match(properties: ["SUBSYSTEM": "tty", "ID_VENDOR_ID": "05e0", "ID_MODEL_ID": "1701"])
        if let program = try? profile.program() { SessionCheck([program]).run([0, 1, 2, 3, 4]) }
    }
}
