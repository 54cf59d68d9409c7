import GRDB
import Readings

/// Puts the times of loans in `index.db` right when the log says that the clock was wrong: `clock.corrected` of `docs/events.md`.
struct ClockRepair {
    private let db: Database

    /// What a time or an offset can be, in milliseconds; files come from strangers too, and a sum must not overflow.
    static let times: ClosedRange<Int64> = -(1 << 53)...1 << 53

    /// What `due_days` and an item may say at most, and one more for the hour, in milliseconds: what is due later was named by a permit.
    private static let longestLoan: Int64 = 3_651 * 86_400_000

    init(_ db: Database) {
        self.db = db
    }

    /// The members of the event that count here.
    private struct Correction {
        var boot: Int64
        var first: Int64
        /// To be added to the time since boot.
        var offset: Int64
        var wasSynchronised: Bool
        var isEstimate: Bool

        init?(_ said: LoanIndex.Said) {
            guard let boot = said.key("boot").flatMap(BootTime.boot(text:)), let first = said.data["first"]?.integer,
                let offset = said.data["offset_ms"]?.integer, ClockRepair.times.contains(offset)
            else { return nil }
            (self.boot, self.first, self.offset) = (Int64(bitPattern: boot), first, offset)
            wasSynchronised = said.data["was"] == "synchronised"
            isEstimate = said.data["estimate"] == true
        }
    }

    func apply(_ said: LoanIndex.Said) throws {
        guard let correction = Correction(said) else { return }
        let boot = correction.boot
        // A clock that was put right wrongly is put right once more: then the correction before is the place of its events.
        let affected = "SELECT seq FROM stamp WHERE boot = \(boot) AND place >= \(correction.first) AND place < \(said.number)"
        if !correction.wasSynchronised { try repairDueTimes(correction, affected, said) }
        func right(_ event: String) -> String { "(SELECT uptime FROM stamp WHERE seq = \(event)) + \(correction.offset)" }
        for (table, time, event) in [
            ("loan", "out", "out_by"), ("loan", "ended", "ended_by"), ("loan", "back", "back_by"), ("renewal", "time", "seq"),
            ("inspection", "time", "seq"), ("objection", "time", "said_by"),
        ] {
            try db.execute(sql: "UPDATE \(table) SET \(time) = \(right(event)) WHERE \(event) IN (\(affected))")
        }
        try db.execute(sql: "UPDATE loan SET zone = \(said.zone), clock = \(quality(correction, said)) WHERE out_by IN (\(affected))")
        try db.execute(
            sql: """
                UPDATE loan SET last = max(out, ended, coalesce(back, ended)) WHERE ended IS NOT NULL
                AND (out_by IN (\(affected)) OR ended_by IN (\(affected)) OR back_by IN (\(affected)))
                """)
        try db.execute(sql: "UPDATE stamp SET place = \(said.number) WHERE seq IN (\(affected))")
    }

    private func quality(_ correction: Correction, _ said: LoanIndex.Said) -> Int {
        correction.isEstimate ? ClockQuality.unsynchronised.rank : said.clock
    }

    /// A loan is due as many days after the right day, as the ledger reckons it; once for each loan.
    private func repairDueTimes(_ correction: Correction, _ affected: String, _ said: LoanIndex.Said) throws {
        let rows = try Row.fetchAll(
            db,
            sql: """
                SELECT loan.opened, loan.out, loan.zone, loan.due, stamp.uptime FROM loan JOIN stamp ON stamp.seq = loan.out_by
                WHERE loan.boot = ? AND loan.out_by IN (\(affected))
                """, arguments: [correction.boot])
        for row in rows {
            let (opened, out, zone, due, uptime): (Int64, Int64, Int, Int64, Int64) = try (
                row.checked(0), row.checked(1), row.checked(2), row.checked(3), row.checked(4)
            )
            func day(_ time: Int64, _ zone: Int) -> Int64 {
                WallTime(milliseconds: time, offsetMinutes: zone, quality: .synchronised).localDate.daysSince1970
            }
            let isFromPermit = due - out > Self.longestLoan
            let days = isFromPermit ? 0 : day(uptime + correction.offset, said.zone) - day(out, zone)
            // Many machines that do not know the time do not know the zone either.
            let shift = days * 86_400_000 - Int64(said.zone - zone) * 60_000
            try db.execute(sql: "UPDATE loan SET due = due + ?, boot = NULL WHERE opened = ?", arguments: [shift, opened])
            try db.execute(sql: "UPDATE renewal SET due = due + ? WHERE line = ?", arguments: [shift, opened])
        }
    }
}
