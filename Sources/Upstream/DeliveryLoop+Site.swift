import SiteConfiguration

extension DeliveryLoop {
    /// Builds a destination of the site file with its loop; `start()` starts it.
    /// - Parameters:
    ///   - board: the devices' states, for destinations that show them.
    ///   - reminders: which reminders are still true, and whom they are for.
    ///   - stateDirectory: where a destination may keep a small file of its own; nil: nowhere.
    /// - Throws: `DeliveryError.refused` when the configuration cannot work.
    public convenience init(
        _ configuration: Site.Destination, of gateway: Site.Gateway, log: any EventLog, board: DeviceStateBoard = DeviceStateBoard(),
        reminders: ReminderBoard = ReminderBoard(), stateDirectory: String? = nil,
        onChange: @escaping @Sendable (DeliveryStatus) -> Void = { _ in }
    ) throws(DeliveryError) {
        let stopSignal = StopSignal()
        let destination = try configuration.makeDestination(
            of: gateway, board: board, reminders: reminders, stateDirectory: stateDirectory, stopSignal: stopSignal)
        self.init(
            name: configuration.name, types: configuration.types, certainty: configuration.certainty, batch: configuration.batch, log: log,
            destination: destination, reminders: reminders, stopSignal: stopSignal, onChange: onChange)
    }
}
