import Identifiers
import SiteConfiguration

/// The two spellings of GS1 keys that EPCIS 2.0 allows (CBV 2.0, section 8.2), by what the site file asks for.
extension Site.Destination.Naming {
    /// A thing or a place. URIs of the site's own stay as they are.
    func instance(_ uri: String) -> String {
        spelled(uri) { $0.epcURI(companyPrefixes: companyPrefixes) }
    }

    /// Goods of one kind or lot.
    func goods(_ uri: String) -> String {
        spelled(uri) { $0.epcClassURI(companyPrefixes: companyPrefixes) }
    }

    private func spelled(_ uri: String, _ urn: (GS1Message) -> String?) -> String {
        guard uri.hasPrefix(Self.standardHost + "/") else { return uri }
        // The year is asked for by dates, and names hold none.
        if !companyPrefixes.isEmpty, let message = try? GS1Message(digitalLink: uri, options: .init(referenceYear: 2_000)),
            let urn = urn(message)
        {
            return urn
        }
        return linkHost + uri.dropFirst(Self.standardHost.utf8.count)
    }
}
