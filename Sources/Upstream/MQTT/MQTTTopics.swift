import Readings

/// `stockgate/1/SITE/GATEWAY/…`; docs/upstream.md has the scheme. Names are percent-encoded: a topic level may hold no `/`, `+` or `#`.
struct MQTTTopics: Hashable, Sendable {
    private let base: String
    let receipt: String

    init(site: String, gatewayCode: String, destination: String) {
        base = "\(MQTTTopics.base(ofSite: site))/\(PercentEncoding.encoded(gatewayCode))"
        receipt = "\(base)/receipt/\(PercentEncoding.encoded(destination))"
    }

    var state: String { "\(base)/state" }

    func event(_ type: String) -> String { "\(base)/event/\(PercentEncoding.encoded(type))" }

    func device(_ name: String) -> String { "\(base)/device/\(PercentEncoding.encoded(name))" }

    fileprivate static func base(ofSite site: String) -> String { "stockgate/1/\(PercentEncoding.encoded(site))" }
}

/// The topics of one source of master data.
struct MQTTMasterTopics: Hashable, Sendable {
    /// For this gateway alone.
    let own: String
    /// For all gateways of the site. Codes of gateways are upper-case, so none is called `master`.
    let shared: String
    /// What the gateway says to it.
    let state: String

    init(site: String, gatewayCode: String, source: String) {
        let (base, name) = (MQTTTopics.base(ofSite: site), PercentEncoding.encoded(source))
        own = "\(base)/\(PercentEncoding.encoded(gatewayCode))/master/\(name)"
        shared = "\(base)/master/\(name)"
        state = "\(own)/state"
    }
}
