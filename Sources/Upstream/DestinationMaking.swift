import SiteConfiguration

extension Site.Destination {
    /// - Parameter stateDirectory: where a destination may keep a small file of its own; nil: nowhere.
    /// - Throws: `DeliveryError.refused` when the configuration cannot work.
    func makeDestination(
        of gateway: Site.Gateway, board: DeviceStateBoard, reminders: ReminderBoard, stateDirectory: String?, stopSignal: StopSignal
    ) throws(DeliveryError) -> any Destination {
        switch kind {
        case .file(let file): return FileDestination(path: file.path, rotation: file.rotation)
        case .epcis(let epcis):
            let mapping = EPCISMapping(
                uriPrefix: gateway.uriPrefix, gatewayCode: gateway.code, usesOnlyCBV: epcis.usesOnlyCBV,
                naming: epcis.naming)
            return try EPCISDestination(epcis, mapping: mapping, batch: batch, stopSignal: stopSignal)
        case .webhook(let webhook):
            return try WebhookDestination(
                webhook, uriPrefix: gateway.uriPrefix, gatewayCode: gateway.code, batch: batch, stopSignal: stopSignal)
        case .mqtt(let mqtt):
            return try MQTTDestination(
                mqtt, name: name, gateway: gateway, board: board, stopSignal: stopSignal, stateDirectory: stateDirectory)
        case .postgresql(let postgresql):
            return try PostgreSQLDestination(postgresql, gatewayCode: gateway.code, batch: batch, stopSignal: stopSignal)
        case .mail(let mail):
            return try MailDestination(mail, gateway: gateway, reminders: reminders, stopSignal: stopSignal)
        }
    }
}
