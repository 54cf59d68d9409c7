import Foundation

/// How long something took, many times over.
struct Percentiles: CustomStringConvertible {
    private let sorted: [Double]

    /// - Parameter values: milliseconds.
    init(_ values: [Double]) { sorted = values.sorted() }

    var count: Int { sorted.count }

    /// - Parameter share: 0...1.
    func at(_ share: Double) -> Double { sorted.isEmpty ? .nan : sorted[min(sorted.count - 1, Int(Double(sorted.count) * share))] }

    var description: String {
        let columns = [at(0.5), at(0.95), at(0.99), sorted.last ?? .nan].map { String(format: "%8.2f", $0) }
        return columns.joined() + String(format: "%8d", count)
    }

    static let heading = "     p50     p95     p99     max   count"
}

extension String {
    func padded(to width: Int) -> String { padding(toLength: max(width, count), withPad: " ", startingAt: 0) }
}

/// `CLOCK_MONOTONIC` in milliseconds.
func milliseconds() -> Double {
    var time = timespec()
    clock_gettime(CLOCK_MONOTONIC, &time)
    return Double(time.tv_sec) * 1_000 + Double(time.tv_nsec) / 1_000_000
}

/// A line of the output, at once: the next may be minutes away.
func say(_ line: String) {
    print(line)
    fflush(nil)
}
