import GRDB
import Ledger

extension EventIndex {
    /// What the log says of loans that touch a span of time, of inspections and of objections in it.
    /// - Parameters:
    ///   - start: milliseconds since 1970, included.
    ///   - end: the same, not included.
    public func loanHistory(from start: Int64, to end: Int64) throws(StoreError) -> LoanHistory {
        try storing("look up loans") {
            try database.read { db in
                var history = LoanHistory()
                let renewals = try Self.renewals(db, start, end)
                let lines = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT opened, loan, item, person, station, episode, permit, out, clock, due, ended, how, back, back_station FROM loan
                        WHERE last >= ? AND out < ? ORDER BY opened
                        """, arguments: [start, end])
                while let row = try lines.next() {
                    guard var line = try Self.line(row) else { continue }
                    line.renewals = renewals[line.opened] ?? []
                    history.lines.append(line)
                }
                let inspections = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT item, line, loan, person, station, time, result FROM inspection WHERE time >= ? AND time < ? ORDER BY seq
                        """, arguments: [start, end])
                while let row = try inspections.next() {
                    guard let item = ItemKey(try row.checked(0)) else { continue }
                    history.inspections.append(
                        .init(
                            item: item, line: try row.checked(1), loan: try row.checked(2), person: try Self.person(row, 3),
                            station: try row.checked(4), time: try row.checked(5), result: try row.checked(6)))
                }
                let objections = try Row.fetchCursor(
                    db,
                    sql: """
                        SELECT number, item, person, station, episode, time, kind FROM objection WHERE time >= ? AND time < ?
                        ORDER BY number, item
                        """, arguments: [start, end])
                while let row = try objections.next() {
                    guard let item = ItemKey(try row.checked(1)) else { continue }
                    history.objections.append(
                        .init(
                            number: try row.checked(0), item: item, person: try Self.person(row, 2), station: try row.checked(3),
                            episode: try row.checked(4), time: try row.checked(5), kind: try row.checked(6)))
                }
                return history
            }
        }
    }

    /// When items were out for the last time before a moment; those that never were are missing.
    public func lastOut(of items: some Sequence<ItemKey>, before end: Int64) throws(StoreError) -> [ItemKey: Int64] {
        try storing("look up when items were out") {
            try database.read { db in
                let statement = try db.cachedStatement(
                    sql: """
                        SELECT min(coalesce(ended, ?1), ?1) FROM loan WHERE item = ?2 AND out < ?1 AND clock > 0 ORDER BY out DESC LIMIT 1
                        """)
                var last: [ItemKey: Int64] = [:]
                for item in items { last[item] = try Int64.fetchOne(statement, arguments: [end, item.text]) }
                return last
            }
        }
    }

    private static func renewals(_ db: Database, _ start: Int64, _ end: Int64) throws -> [Int64: [LoanHistory.Renewal]] {
        let rows = try Row.fetchCursor(
            db,
            sql: """
                SELECT renewal.line, renewal.time, renewal.due FROM loan JOIN renewal ON renewal.line = loan.opened
                WHERE loan.last >= ? AND loan.out < ? ORDER BY renewal.seq
                """, arguments: [start, end])
        var renewals: [Int64: [LoanHistory.Renewal]] = [:]
        while let row = try rows.next() {
            renewals[try row.checked(0), default: []].append(.init(time: try row.checked(1), due: try row.checked(2)))
        }
        return renewals
    }

    /// nil for keys that are none: what stands in the log was checked, the file can be damaged.
    private static func line(_ row: Row) throws -> LoanHistory.Line? {
        guard let item = ItemKey(try row.checked(2)), let person = PersonKey(try row.checked(3)) else { return nil }
        let ended: Int64? = try row.checked(10)
        let how: String? = try row.checked(11)
        let clock: Int64 = try row.checked(8)
        return LoanHistory.Line(
            opened: try row.checked(0), loan: try row.checked(1), item: item, person: person, station: try row.checked(4),
            episode: try row.checked(5), permit: (try row.checked(6) as String?).flatMap(PermitKey.init), out: try row.checked(7),
            isTimed: clock > 0, due: try row.checked(9),
            end: ended.flatMap { time in how.flatMap(LoanHistory.End.How.init).map { .init(time: time, how: $0) } },
            back: try row.checked(12), backStation: try row.checked(13))
    }

    private static func person(_ row: Row, _ index: Int) throws -> PersonKey? {
        (try row.checked(index) as String?).flatMap(PersonKey.init)
    }
}
