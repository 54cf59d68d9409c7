import Identifiers
import Readings

/// Scanners that speak the HID point-of-sale usages (usage page 8C, bar code scanner), by the reports of a hidraw node.
///
/// Every report has the same length. It counts only when its id, its data length, the zeros behind the data and its last byte agree,
/// so that a report of another layout is not taken for a scan. Sources: HID Point of Sale Usage Tables 1.02; Access-IS manuals;
/// published clients of Honeywell and Newland scanners.
public struct HIDPointOfSale: Decoder {
    /// Where things stand in a report. Byte 0 is the report id, byte 1 the number of data bytes in this report, the last one 1 when
    /// more reports follow.
    public enum Layout: String, Hashable, Sendable, CaseIterable {
        /// AIM identifier in bytes 2 to 4, data from byte 5, the vendor's code id in the third byte from the end.
        case standard
        /// Like `standard`, one byte later.
        case shifted
        /// No AIM identifier, data from byte 2, the vendor's code id in the second byte from the end.
        case newland

        var aim: Int? {
            switch self {
            case .standard: 2
            case .shifted: 3
            case .newland: nil
            }
        }

        var data: Int {
            switch self {
            case .standard: 5
            case .shifted: 6
            case .newland: 2
            }
        }

        /// The vendor's code id, counted from the end.
        var codeID: Int? {
            switch self {
            case .standard: 3
            case .shifted: nil
            case .newland: 2
            }
        }
    }

    public struct Configuration: Hashable, Sendable {
        public var layout: Layout
        /// The id of the report of scanned data.
        public var reportID: UInt8
        /// The length of every report, the id among it, 16...1024.
        public var reportBytes: Int
        /// AIM identifiers that do not stand before goods but before answers to commands, such as `]Z6`; a `]` and a letter mean all of
        /// that letter.
        public var answers: Set<String>
        /// What the data mean. AIM identifiers stand in the report, with `newland` before the data: `aim` says whether they must.
        public var text: TextRule

        public init(
            layout: Layout = .standard, reportID: UInt8 = 2, reportBytes: Int = 64, answers: Set<String> = ["]Z"],
            text: TextRule = TextRule()
        ) {
            self.layout = layout
            self.reportID = reportID
            self.reportBytes = min(max(reportBytes, 16), 1_024)
            self.answers = answers
            self.text = text
        }
    }

    /// A scan of several reports that did not go on for this long never will.
    static let timeout = Instant.Span.milliseconds(200)

    private let configuration: Configuration
    /// The rule for the data of a scan.
    private let rule: TextRule
    /// The beginning of a report; less than one.
    private var pending: [UInt8] = []
    /// The data of the reports of a scan that goes on.
    private var data: LineBuffer
    private var symbology: AIMIdentifier?
    private var codeID: UInt8 = 0
    private var isContinued = false
    private var lastBytes = Instant.zero
    private var hasReportedLayout = false

    public init(_ configuration: Configuration = Configuration()) {
        self.configuration = configuration
        var rule = configuration.text
        // Where reports have no place for the identifier, it may be a prefix of the data.
        if configuration.layout.aim != nil { rule.aim = .never }
        self.rule = rule
        data = LineBuffer(limit: rule.longestLine)
    }

    public mutating func decode(_ bytes: UnsafeRawBufferPointer, at now: Instant, into batch: inout DecodedBatch) {
        guard !bytes.isEmpty else { return }
        lastBytes = now
        pending.append(contentsOf: bytes)
        takeReports(isEnd: false, into: &batch)
    }

    public var nextDeadline: Instant? { pending.isEmpty && !isContinued ? nil : lastBytes + Self.timeout }

    public mutating func advance(to now: Instant, into batch: inout DecodedBatch) {
        guard let deadline = nextDeadline, now >= deadline else { return }
        if !pending.isEmpty { takeReports(isEnd: true, into: &batch) }
        guard isContinued else { return }
        data.spoil(.incomplete)
        end(into: &batch)
    }

    /// The rest of a scan with a hole in it would be a shorter barcode: it is dropped up to its end.
    public mutating func inputLost(at now: Instant, into batch: inout DecodedBatch) {
        pending.removeAll()
        data.spoil(.incomplete)
        isContinued = true
        lastBytes = now
    }

    public mutating func reset() {
        pending.removeAll()
        data.clear()
        isContinued = false
        hasReportedLayout = false
    }

    // MARK: Reports

    /// - Parameter isEnd: nothing follows for now: what is held is no report.
    private mutating func takeReports(isEnd: Bool, into batch: inout DecodedBatch) {
        let length = configuration.reportBytes
        var index = 0
        var noise: UInt64 = 0
        while index < pending.count {
            let rest = pending[index...]
            guard isHead(rest) else {
                noise += 1
                index += 1
                continue
            }
            guard rest.count >= length else {
                guard isEnd else { break }
                batch.rejects.count(.incomplete)
                index += 1
                continue
            }
            let report = Array(rest.prefix(length))
            if Self.fits(report, configuration.layout) {
                take(report, into: &batch)
                index += length
            } else if let other = Layout.allCases.first(where: { $0 != .newland && Self.fits(report, $0) && report[2] | report[3] != 0 }) {
                reportLayout(other, into: &batch)
                index += length
            } else {
                noise += 1
                index += 1
            }
        }
        pending.removeFirst(index)
        if noise > 0 { batch.rejects.count(.noise, times: noise) }
    }

    private func isHead(_ bytes: ArraySlice<UInt8>) -> Bool {
        guard bytes.first == configuration.reportID else { return false }
        guard let count = bytes.dropFirst().first else { return true }
        return Int(count) <= configuration.reportBytes - 8
    }

    /// Whether a whole report can be of a layout.
    private static func fits(_ report: [UInt8], _ layout: Layout) -> Bool {
        let count = Int(report[1])
        let last = report.count - 1
        guard report[last] <= 1, layout.data + count <= last else { return false }
        if let aim = layout.aim {
            let isNone = report[aim] == 0 && report[aim + 1] == 0 && report[aim + 2] == 0
            guard isNone || AIMIdentifier(prefixOf: report[aim...]) != nil else { return false }
        }
        // Behind the data all is zero but the code id and what stands beside it.
        let end = layout.codeID.map { report.count - $0 } ?? report.count - 3
        return layout.data + count >= end || report[(layout.data + count)..<end].allSatisfy { $0 == 0 }
    }

    private mutating func reportLayout(_ layout: Layout, into batch: inout DecodedBatch) {
        batch.rejects.count(.malformed)
        guard !hasReportedLayout else { return }
        hasReportedLayout = true
        let meaning = "reports have the layout \(layout.rawValue), the profile says \(configuration.layout.rawValue)"
        batch.signals.append(.fault(code: 0, meaning: meaning, isTransient: false))
    }

    private mutating func take(_ report: [UInt8], into batch: inout DecodedBatch) {
        let layout = configuration.layout
        let aim = layout.aim.flatMap { AIMIdentifier(prefixOf: report[$0...]) }
        if isContinued, data.fault == nil, aim != symbology {
            // Another scan began: the end of the one before was lost.
            data.spoil(.incomplete)
            end(into: &batch)
        }
        if !isContinued {
            symbology = aim
            codeID = layout.codeID.map { report[report.count - $0] } ?? 0
        }
        for byte in report[layout.data..<layout.data + Int(report[1])] { data.append(byte) }
        isContinued = report[report.count - 1] == 1
        if !isContinued { end(into: &batch) }
    }

    private mutating func end(into batch: inout DecodedBatch) {
        defer {
            data.clear()
            isContinued = false
        }
        if let fault = data.fault { return batch.rejects.count(fault) }
        guard !data.bytes.isEmpty else { return }
        if let symbology, configuration.answers.contains(where: { symbology.description.hasPrefix($0) }) {
            return batch.signals.append(.answer(Array(symbology.description.utf8) + data.bytes))
        }
        let named = symbology ?? configuration.text.codeIDs[[codeID]]
        let isWanted = configuration.text.aim == .required && configuration.layout.aim != nil
        guard named != nil || !isWanted else { return batch.rejects.count(.malformed) }
        switch rule.outcome(of: data.bytes) {
        case .reject(let reason): batch.rejects.count(reason)
        case .reading(.scan(var scan)):
            scan.symbology = named ?? scan.symbology
            batch.readings.append(.scan(scan))
        case .reading(let reading): batch.readings.append(reading)
        }
    }
}
