import GRDB
import Ledger
import Readings

/// Takes what events say of loans into the tables of `index.db`, each thing once: what is confirmed replaces what was provisional, and what
/// is withdrawn goes. Reads events by their JSON form, so that an event of a later version stops nothing.
struct LoanIndex {
    private let db: Database

    /// `last` of a line that is open.
    static let open = Int64.max

    init(_ db: Database) {
        self.db = db
    }

    static func clear(_ db: Database) throws {
        for table in ["loan", "renewal", "inspection", "objection", "stamp"] { try db.execute(sql: "DELETE FROM \(table)") }
    }

    /// Takes in the next event of the log.
    func take(_ event: JSON, number: Int64) throws {
        guard let type = event["type"]?.string, let said = Said(event, number: number) else { return }
        switch type {
        case "loan.checked_out": try checkedOut(said)
        case "loan.returned": try returned(said)
        case "loan.renewed": try renewed(said)
        case "loan.transferred": try transferred(said)
        case "loan.lost": try end(said.loan, said.item, .lost, said)
        case "loan.inspected": try inspected(said)
        case "tool.found": try found(said)
        case "exception.raised": try raised(said)
        case "crossing.retracted": try retracted(said)
        case "clock.corrected": try ClockRepair(db).apply(said)
        default: break
        }
    }

    // MARK: Lines

    private func checkedOut(_ said: Said) throws {
        guard let loan = said.loan, let item = said.item, let person = said.key("person"), let due = said.moment("due") else { return }
        if said.corrects != nil, let line = try line(loan, item) {
            try execute(
                """
                UPDATE loan SET person = ?, station = ?, episode = ?, permit = ?, out = ?, out_by = ?, zone = ?, clock = ?, boot = ?, due = ?,
                last = CASE WHEN ended IS NULL THEN last ELSE max(?, ended, coalesce(back, ended)) END WHERE opened = ?
                """,
                [
                    person, said.station, said.episode, said.key("permit"), said.time, said.number, said.zone, said.clock, said.openBoot,
                    due,
                    said.time, line,
                ])
        } else {
            try open(loan: loan, item: item, person: person, due: due, said)
        }
        try stamp(said)
    }

    private func open(loan: String, item: String, person: String, due: Int64, _ said: Said) throws {
        // An item is in one open loan at most; that another one was closed may have been lost with the end of a damaged log.
        try execute(
            "UPDATE loan SET ended = ?, ended_by = ?, how = 'superseded', last = max(out, ?) WHERE item = ? AND ended IS NULL",
            [said.time, said.number, said.time, item])
        try execute(
            """
            INSERT OR REPLACE INTO loan(opened, loan, item, person, station, episode, permit, out, out_by, zone, clock, boot, due, last)
            VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
            """,
            [
                said.number, loan, item, person, said.station, said.episode, said.key("permit"), said.time, said.number, said.zone,
                said.clock,
                said.openBoot, due, Self.open,
            ])
    }

    private func returned(_ said: Said) throws {
        guard let loan = said.loan, let item = said.item, let line = try line(loan, item) else { return }
        let how = try String.fetchOne(db, sql: "SELECT how FROM loan WHERE opened = ?", arguments: [line])
        // One that confirms a return says when it was; of a loan that was withdrawn or lent again meanwhile it says nothing.
        guard how == nil || how == "lost" || said.corrects != nil && how == "returned" else { return }
        try execute(
            """
            UPDATE loan SET back = ?1, back_by = ?2, back_station = ?3,
            ended = CASE how WHEN 'lost' THEN ended ELSE ?1 END, ended_by = CASE how WHEN 'lost' THEN ended_by ELSE ?2 END,
            how = coalesce(how, 'returned'), last = CASE how WHEN 'lost' THEN max(ended, ?1) ELSE max(out, ?1) END
            WHERE opened = ?4
            """, [said.time, said.number, said.station, line])
        try stamp(said)
    }

    private func renewed(_ said: Said) throws {
        guard let loan = said.loan, let item = said.item, let due = said.moment("due"), let line = try line(loan, item) else { return }
        try execute(
            "INSERT OR REPLACE INTO renewal(seq, line, time, due) VALUES (?, ?, ?, ?)", [said.number, line, said.time, due])
        try stamp(said)
    }

    private func transferred(_ said: Said) throws {
        guard let loan = said.loan, let item = said.item, let person = said.key("person"), let due = said.moment("due") else { return }
        try end(said.key("from_loan"), item, .transferred, said)
        try open(loan: loan, item: item, person: person, due: due, said)
        try stamp(said)
    }

    /// Ends a line that is open.
    private func end(_ loan: String?, _ item: String?, _ how: LoanHistory.End.How, _ said: Said) throws {
        guard let loan, let item, let line = try line(loan, item) else { return }
        try execute(
            "UPDATE loan SET ended = ?, ended_by = ?, how = ?, last = max(out, ?) WHERE opened = ? AND ended IS NULL",
            [said.time, said.number, how.rawValue, said.time, line])
        try stamp(said)
    }

    /// The newest line of an item in a loan.
    private func line(_ loan: String, _ item: String) throws -> Int64? {
        try Int64.fetchOne(
            db.cachedStatement(sql: "SELECT opened FROM loan WHERE item = ? AND loan = ? ORDER BY opened DESC LIMIT 1"),
            arguments: [item, loan])
    }

    // MARK: What is said beside

    private func inspected(_ said: Said) throws {
        guard let item = said.item, let result = said.data["result"]?.string else { return }
        // Without a number: the loan that it came back from.
        let row = try Row.fetchOne(
            db,
            sql: """
                SELECT opened, loan, person, station FROM loan WHERE item = ?1 AND (loan = ?2 OR ?2 IS NULL AND ended IS NOT NULL)
                ORDER BY opened DESC LIMIT 1
                """, arguments: [item, said.loan])
        try execute(
            "INSERT OR REPLACE INTO inspection(seq, line, item, loan, person, station, time, result) VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [
                said.number, try row?.checked(0) as Int64?, item, said.loan ?? (try row?.checked(1) as String?),
                said.key("borrower") ?? (try row?.checked(2) as String?), row == nil ? said.station : try row?.checked(3) as String?,
                said.time, String(result.prefix(64)),
            ])
        // Whoever looks at what was given up has found it.
        try found(said)
    }

    /// An item is there: if it was given up for lost, it no longer is.
    private func found(_ said: Said) throws {
        guard let item = said.item else { return }
        try execute(
            """
            UPDATE loan SET back = ?1, back_by = ?2, back_station = ?3, last = max(ended, ?1)
            WHERE opened = (SELECT opened FROM loan WHERE item = ?4 ORDER BY opened DESC LIMIT 1) AND how = 'lost' AND back IS NULL
            """, [said.time, said.number, said.station, item])
        try stamp(said)
    }

    private func raised(_ said: Said) throws {
        guard said.data["direction"] != "in", let kind = said.data["kind"]?.string, let items = said.data["items"]?.array else { return }
        let number = said.data["exception"]?.integer ?? said.number
        try execute("DELETE FROM objection WHERE number = ?", [number])
        let candidates = said.data["candidates"]?.array ?? []
        let person = candidates.count == 1 ? candidates.first?.string : nil
        for item in items.compactMap(\.string) {
            try execute(
                """
                INSERT OR REPLACE INTO objection(number, item, person, station, episode, time, said_by, kind)
                VALUES (?, ?, ?, ?, ?, ?, ?, ?)
                """, [number, item, person, said.station, said.episode, said.time, said.number, kind])
        }
        try stamp(said)
    }

    // MARK: Withdrawal

    private func retracted(_ said: Said) throws {
        guard let what = said.data["data"] else { return }
        let (loan, item) = (what["loan"]?.string, what["item"]?.string)
        switch said.data["type"]?.string {
        case "loan.checked_out":
            try drop(loan, item)
        case "loan.transferred":
            try drop(loan, item)
            guard said.data["reopened"] != nil, let from = what["from_loan"]?.string, let item, let line = try line(from, item) else {
                return
            }
            try execute(
                "UPDATE loan SET how = NULL, ended = NULL, ended_by = NULL, last = ? WHERE opened = ? AND how = 'transferred'",
                [Self.open, line])
        case "loan.returned":
            guard let loan, let item, let line = try line(loan, item) else { return }
            // What was given up stays so.
            try execute(
                "UPDATE loan SET back = NULL, back_by = NULL, back_station = NULL, last = max(out, ended) WHERE opened = ? AND how = 'lost'",
                [line])
            let isOpenElsewhere = try Bool.fetchOne(
                db, sql: "SELECT EXISTS(SELECT 1 FROM loan WHERE item = ? AND ended IS NULL)", arguments: [item])
            if said.data["reopened"] == nil || isOpenElsewhere == true {
                try execute(
                    "UPDATE loan SET back = NULL, back_by = NULL, back_station = NULL, how = 'superseded' WHERE opened = ? AND how = 'returned'",
                    [line])
            } else {
                try execute(
                    """
                    UPDATE loan SET back = NULL, back_by = NULL, back_station = NULL, how = NULL, ended = NULL, ended_by = NULL, last = ?
                    WHERE opened = ? AND how = 'returned'
                    """, [Self.open, line])
            }
        case "exception.raised":
            try execute("DELETE FROM objection WHERE number = ?", [what["exception"]?.integer ?? said.corrects])
        default: break
        }
    }

    /// A line that never was.
    private func drop(_ loan: String?, _ item: String?) throws {
        guard let loan, let item, let line = try line(loan, item) else { return }
        try execute("DELETE FROM loan WHERE opened = ?", [line])
        try execute("DELETE FROM renewal WHERE line = ?", [line])
        try execute("UPDATE inspection SET line = NULL WHERE line = ?", [line])
    }

    /// Keeps by which clock an event was stamped.
    private func stamp(_ said: Said) throws {
        guard let boot = said.boot else { return }
        try execute(
            "INSERT OR REPLACE INTO stamp(seq, place, boot, uptime) VALUES (?, ?, ?, ?)",
            [said.number, said.number, boot.boot, boot.uptime])
    }

    private func execute(_ sql: String, _ arguments: StatementArguments) throws {
        try db.cachedStatement(sql: sql).execute(arguments: arguments)
    }
}

extension LoanIndex {
    /// What every event says, read once.
    struct Said {
        let number: Int64
        let data: JSON
        let corrects: Int64?
        let station: String?
        let episode: String?
        /// Milliseconds since 1970, and minutes from UTC.
        let time: Int64
        let zone: Int
        /// `ClockQuality.rank`.
        let clock: Int
        let boot: (boot: Int64, uptime: Int64)?

        /// nil for what is no event.
        init?(_ event: JSON, number: Int64) {
            guard let data = event["data"], let time = event["time"]?.string.flatMap(WallTime.init(rfc3339:)) else { return nil }
            (self.number, self.data, self.time, zone) = (number, data, time.milliseconds, time.offsetMinutes)
            corrects = event["corrects"]?.integer
            station = event["station"]?.string
            episode = event["episode"]?.string
            clock = (event["clock"]?.string.flatMap(ClockQuality.init) ?? .synchronised).rank
            if let boot = event["boot"]?.string.flatMap(BootTime.boot(text:)), let uptime = event["uptime"]?.integer,
                ClockRepair.times.contains(uptime)
            {
                self.boot = (Int64(bitPattern: boot), uptime)
            } else {
                self.boot = nil
            }
        }

        var loan: String? { data["loan"]?.string }
        var item: String? { data["item"]?.string }
        func key(_ member: String) -> String? { data[member]?.string }
        func moment(_ member: String) -> Int64? { data[member]?.string.flatMap(WallTime.init(rfc3339:))?.milliseconds }

        /// The boot by which the due time was reckoned, if that may have to be done again.
        var openBoot: Int64? { clock < ClockQuality.synchronised.rank ? boot?.boot : nil }
    }
}
