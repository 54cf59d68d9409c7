import Foundation
import Ledger
import Readings
import Reports
import Synchronization

@testable import Store

/// A folder of its own for one index, gone when the process ends.
struct IndexFolder: Sendable {
    let path: String

    private static let made = Mutex<[String]>([])
    private static let removal: Void = {
        atexit { IndexFolder.made.withLock { for path in $0 { try? FileManager.default.removeItem(atPath: path) } } }
    }()

    init() throws {
        let path = FileManager.default.temporaryDirectory.appendingPathComponent("index-\(UUID().uuidString)").path
        try FileManager.default.createDirectory(atPath: path, withIntermediateDirectories: true)
        self.path = path
        Self.removal
        Self.made.withLock { $0.append(path) }
    }
}

extension ReportPeriod {
    /// A month where the sun is eight hours ahead of Greenwich, always.
    init(east month: String, deadMonths: Int = 6) {
        let day = WallTime(rfc3339: "\(month)-01T00:00:00+08:00")!.localDate
        self.init(day, deadMonths: deadMonths) { WallTime(rfc3339: "\($0)T00:00:00+08:00")! }
    }
}

extension EventIndex {
    /// A report as the gateway makes it.
    func report(_ period: ReportPeriod, now: String, classes: [ItemKey: String?]) throws -> LoanReport {
        let history = try loanHistory(from: period.start.milliseconds, to: period.end.milliseconds)
        let resting = Set(classes.keys).subtracting(history.lines.filter(\.isTimed).map(\.item))
        return LoanReport(
            period: period, now: WallTime(rfc3339: now)!, deadMonths: 6, history: history, classes: classes,
            lastOut: try lastOut(of: resting, before: period.end.milliseconds))
    }
}

extension LoanReport {
    /// As the API tells it where the sun is eight hours ahead of Greenwich.
    var eastern: JSON { json(offset: { _ in 480 }) }
}
