import Readings

/// Shows each tag at most once a second, with the count of its reads and the last signal.
struct ReadingThrottle {
    private struct Window {
        var start: Int64
        var reads: Int
        var latest: JSON
    }

    private var windows: [String: Window] = [:]

    private static let milliseconds: Int64 = 1_000
    /// Tags that are followed at a time; beyond that all windows end at once.
    private static let maximumTags = 2_000

    /// Takes one happening at a time in milliseconds.
    /// - Returns: what to show now, with the reads that each line stands for.
    mutating func take(_ happening: JSON, at now: Int64) -> [(happening: JSON, reads: Int)] {
        var shown = expired(at: now)
        let isLate = happening["late"] != nil
        let tag = happening[isLate ? "late" : "tag"]
        guard happening["kind"] == "reading", let epc = tag?["epc"]?.string else { return shown + [(happening, 1)] }
        let key = "\(happening["device"]?.string ?? "") \(epc) \(tag?["ant"]?.integer ?? 0) \(isLate)"
        if var window = windows[key] {
            window.reads += 1
            window.latest = happening
            windows[key] = window
            return shown
        }
        if windows.count >= Self.maximumTags { shown += end() }
        windows[key] = Window(start: now, reads: 0, latest: happening)
        return shown + [(happening, 1)]
    }

    /// What is left when the stream ends.
    mutating func end() -> [(happening: JSON, reads: Int)] {
        defer { windows = [:] }
        return Self.lines(of: Array(windows.values))
    }

    private mutating func expired(at now: Int64) -> [(happening: JSON, reads: Int)] {
        var ended: [Window] = []
        for (key, window) in windows where now - window.start >= Self.milliseconds || now < window.start {
            ended.append(window)
            if window.reads > 0 {
                windows[key] = Window(start: now, reads: 0, latest: window.latest)
            } else {
                windows[key] = nil
            }
        }
        return Self.lines(of: ended)
    }

    private static func lines(of windows: [Window]) -> [(happening: JSON, reads: Int)] {
        windows.filter { $0.reads > 0 }.sorted { $0.start < $1.start }.map { ($0.latest, $0.reads) }
    }
}
