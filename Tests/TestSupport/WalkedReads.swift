/// What antennas that look away from the gate hear of a tag that is carried along x: a plain model for tests, without chance.
public enum WalkedReads {
    /// One read: which antenna, when in milliseconds, and RSSI in hundredths of a dBm.
    public struct Read: Sendable {
        public var antenna: Int
        public var milliseconds: Int64
        public var rssi: Int16
    }

    /// - Parameters:
    ///   - antennas: where they stand, metres along x
    ///   - path: places in metres at times in milliseconds, joined by straight lines
    ///   - turn: how long the reader serves each antenna, milliseconds
    public static func along(
        _ path: [(milliseconds: Int64, x: Double)], antennas: [Double], turn: Int64 = 65, floor: Double = -70
    ) -> [Read] {
        guard let first = path.first, let last = path.last else { return [] }
        var reads: [Read] = []
        var time = first.milliseconds
        var antenna = 0
        while time <= last.milliseconds {
            for moment in stride(from: time, to: time + turn - 10, by: 20) {
                let x = place(at: moment, on: path)
                // Loudest 0.4 m before the antenna, fading away quickly behind it and slowly ahead.
                let ahead = (x - antennas[antenna]) * (antennas[antenna] < 0 ? -1 : 1) - 0.4
                let rssi = -47 + (ahead < 0 ? 32 * ahead : -10 * ahead)
                if rssi > floor { reads.append(Read(antenna: antenna, milliseconds: moment, rssi: Int16(rssi * 100))) }
            }
            time += turn
            antenna = (antenna + 1) % antennas.count
        }
        return reads
    }

    private static func place(at moment: Int64, on path: [(milliseconds: Int64, x: Double)]) -> Double {
        var before = path[0]
        for point in path {
            if point.milliseconds >= moment {
                let span = Double(max(point.milliseconds - before.milliseconds, 1))
                return before.x + (point.x - before.x) * Double(moment - before.milliseconds) / span
            }
            before = point
        }
        return before.x
    }
}
