/// A barcode on a card at the bench that says what becomes of the tool scanned with it.
public enum ControlCode: String, Hashable, Sendable, CaseIterable {
    /// Inspected: nothing is wrong with it.
    case fine = "STOCKGATE-FINE"
    case damaged = "STOCKGATE-DAMAGED"
    case incomplete = "STOCKGATE-INCOMPLETE"
    /// Its loan goes on.
    case renew = "STOCKGATE-RENEW"
    /// It is handed on to the person whose badge was held here.
    case transfer = "STOCKGATE-TRANSFER"
}
