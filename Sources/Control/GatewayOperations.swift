import Identifiers
import Ledger
import Readings

/// What a running gateway can be asked: the seam between the API, which knows HTTP, and the gateway, which knows everything else.
///
/// Answers carry names beside the keys of people and things (`JSON.naming`), because only the gateway has the master data.
public protocol GatewayOperations: Sendable {
    /// The wall time at which an answer is given; people are shown ages against it.
    func now() async -> WallTime

    func status() async throws(OperationError) -> GatewayStatus
    func devices() async throws(OperationError) -> [DeviceReport]
    func stations() async throws(OperationError) -> [StationReport]
    func destinations() async throws(OperationError) -> [DestinationReport]

    /// Stored events, in the order of their numbers.
    func events(_ query: EventQuery) async throws(OperationError) -> EventPage
    /// One event and how it was delivered.
    /// - Throws: `not_found`.
    func event(_ reference: EventReference) async throws(OperationError) -> EventReport
    /// New events as they are committed. The server uses them as a sign to read on, so the stream may end early under load; a stream that
    /// ends is opened again.
    func follow() async -> AsyncStream<StoredEvent>

    /// Open loans (`Loan.row` with names), by due time.
    func loans() async throws(OperationError) -> [JSON]
    /// One loan: what is still out of it, and what the log tells of it.
    /// - Throws: `not_found`.
    func loan(_ number: LoanNumber) async throws(OperationError) -> LoanRecord
    /// Requests made here, and permits of the master data, with how much of each is used.
    func permits() async throws(OperationError) -> PermitReport
    /// Whether a person may take a tool, rule by rule.
    /// - Throws: `not_found` for a person, item or station that is not there.
    func may(_ question: LendingQuestion) async throws(OperationError) -> JSON
    /// Whom an employee number or key means.
    /// - Throws: `not_found`.
    func person(called reference: String) async throws(OperationError) -> PersonKey
    /// Figures of the loans of a month (schema `LoanReport`, with names).
    func loanReport(_ query: LoanReportQuery) async throws(OperationError) -> JSON
    /// What lies where, by location: `location`, then `item` or `product` with `lot` and `quantity`, with names.
    /// - Parameter location: only this one; nil: all.
    func stock(at location: String?) async throws(OperationError) -> [JSON]
    /// Open exceptions (`OpenException.row` with names), by deadline.
    func exceptions() async throws(OperationError) -> [JSON]
    /// - Throws: `not_found`, also for one that is resolved.
    func exception(_ number: Int64) async throws(OperationError) -> JSON
    /// Tags bound at this gateway.
    func tags() async throws(OperationError) -> [TagReport]
    /// What a tag is bound to, here or in the master data.
    /// - Throws: `not_found` for a tag that is bound to nothing.
    func tag(_ epc: EPC) async throws(OperationError) -> TagReport

    /// Carries a command out, and returns once it is on the disk.
    func perform(_ command: Command, by caller: Caller) async throws(OperationError) -> CommandOutcome
    /// Applies master data, or says what would change.
    /// - Throws: `invalid` with all problems when the rows contradict themselves or what is there; then nothing was changed.
    func importMaster(_ rows: [MasterRow], dryRun: Bool, by caller: Caller) async throws(OperationError) -> ImportOutcome

    /// Forgets a person: rows of master data with their traces in the file, recordings, files of master data.
    /// - Parameter person: employee number or key.
    /// - Throws: `not_found`; `conflict` while they have open loans.
    func erase(person: String, dryRun: Bool, by caller: Caller) async throws(OperationError) -> ErasureOutcome

    /// Why a device has its profile, or none.
    func explainProfile(device: String) async throws(OperationError) -> ProfileReport

    /// Live happenings (`docs/api.yaml`, schema `Happening`). A watcher that does not keep up gets a `dropped` line with a count.
    func watch() async -> AsyncStream<JSON>

    /// Starts a recording of all inputs.
    /// - Throws: `conflict` while one is under way.
    func startRecording(note: String, by caller: Caller) async throws(OperationError) -> RecordingReport
    /// Ends it and closes its file.
    /// - Throws: `not_found` when none is under way.
    func stopRecording(by caller: Caller) async throws(OperationError) -> RecordingReport
    /// The recording under way; nil: none.
    func recording() async throws(OperationError) -> RecordingReport?
    /// The path of a finished recording by its name, for the server to send.
    /// - Throws: `not_found`; names come from strangers and may not lead out of the folder of recordings.
    func recordingFile(named name: String) async throws(OperationError) -> String

    /// Backs the record and the master data up.
    /// - Parameter directory: an absolute path; nil: where the site's backups go.
    /// - Throws: `not_stored` when the disk does not take it.
    func backUp(to directory: String?, by caller: Caller) async throws(OperationError) -> BackupOutcome
    /// Walks over the whole record: lines of progress, and last `result` (schema `Verification`) or `problem`.
    func verify() async -> AsyncStream<JSON>

    /// Reads the site file and the profiles again; a failed reload changes nothing.
    /// - Throws: `invalid` with all problems.
    func reload(by caller: Caller) async throws(OperationError) -> ReloadOutcome
}
