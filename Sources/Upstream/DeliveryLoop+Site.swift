import SiteConfiguration

extension DeliveryLoop {
    /// Builds a destination of the site file with its loop; `start()` starts it.
    /// - Throws: `DeliveryError.refused` when the configuration cannot work.
    public convenience init(
        _ configuration: Site.Destination, of gateway: Site.Gateway, log: any EventLog,
        onChange: @escaping @Sendable (DeliveryStatus) -> Void = { _ in }
    ) throws(DeliveryError) {
        let stopSignal = StopSignal()
        let destination: any Destination
        switch configuration.kind {
        case .file(let path): destination = FileDestination(path: path)
        case .epcis(let epcis):
            let mapping = EPCISMapping(uriPrefix: gateway.uriPrefix, gatewayCode: gateway.code, usesOnlyCBV: epcis.usesOnlyCBV)
            destination = try EPCISDestination(epcis, mapping: mapping, batch: configuration.batch, stopSignal: stopSignal)
        }
        self.init(
            name: configuration.name, types: configuration.types, certainty: configuration.certainty, batch: configuration.batch, log: log,
            destination: destination,
            stopSignal: stopSignal, onChange: onChange)
    }
}
