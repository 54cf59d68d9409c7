import Decoding

extension DecoderConfiguration {
    /// Each protocol as a profile gets it that names nothing but the protocol; those that need more are left out.
    public static func defaults(layouts: [String: KeyboardLayout]) -> [DecoderConfiguration] {
        Name.allCases.compactMap { name in
            guard let document = try? TOMLDocument(file: "", text: "protocol = \"\(name.rawValue)\"\n") else { return nil }
            let reader = TOMLTableReader(document)
            let configuration = DecoderConfiguration(reader, layouts: layouts)
            return reader.problems.isEmpty ? configuration : nil
        }
    }
}
