import OperatorText
import Presence
import Readings

/// How strongly each antenna saw a walk, over its time.
enum WalkPlot {
    static let columns = 60
    /// The lowest and the highest bar, hundredths of a dBm: from what a reader just understands to a tag right before the antenna.
    static let weakest = -8_000
    static let strongest = -4_000
    private static let bars: [Printable] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    /// A read of which the reader tells no strength.
    private static let mark: Printable = "•"

    /// A line of `columns` characters for each antenna: the strongest read of each part of the time, blank where there was none.
    static func lines(of reads: [WalkTest.Read], antennas: Int) -> [Printable] {
        guard let first = reads.map(\.at).min(), let last = reads.map(\.at).max() else {
            return Array(repeating: "", count: antennas)
        }
        let length = max(1, (last - first).nanoseconds)
        return (0..<antennas).map { antenna in
            var cells = [Int16?](repeating: nil, count: columns)
            for read in reads where read.antenna == antenna {
                let cell = min(columns - 1, Int((read.at - first).nanoseconds * Int64(columns) / length))
                cells[cell] = max(cells[cell] ?? .min, read.rssi)
            }
            return cells.map(bar).joined(separator: "")
        }
    }

    static func bar(_ rssi: Int16?) -> Printable {
        guard let rssi else { return " " }
        guard rssi != TagRead.noRSSI else { return mark }
        let height = (Int(rssi) - weakest) * bars.count / (strongest - weakest)
        return bars[min(max(height, 0), bars.count - 1)]
    }
}
