import GRDB

/// What a database file of ours is: its mark in the header and the steps that make it, oldest first.
///
/// `user_version` counts the steps that a file has had. Steps are only ever added; a file goes forward, never back.
struct StoreSchema: Sendable {
    /// `PRAGMA application_id`, so that `file` and the next program can tell what it is.
    var applicationID: Int32
    var migrations: [@Sendable (Database) throws -> Void]

    var version: Int { migrations.count }

    /// "SGev"
    static let events = StoreSchema(
        applicationID: 0x5347_6576,
        migrations: [
            { db in
                // No secondary index on the log: every further B-tree costs one more page for each durable event.
                try db.execute(sql: "CREATE TABLE event(seq INTEGER PRIMARY KEY, body BLOB NOT NULL)")
                try db.execute(sql: "CREATE TABLE state(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
                try db.execute(
                    sql: "CREATE TABLE cursor(destination TEXT PRIMARY KEY, acked INTEGER NOT NULL, written TEXT NOT NULL) WITHOUT ROWID")
                try db.execute(sql: "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            },
            { db in
                // A restored or recovered store has several epochs; until now each had one, in `meta`.
                try db.execute(
                    sql: "CREATE TABLE epoch(first INTEGER PRIMARY KEY, epoch TEXT NOT NULL, reason TEXT NOT NULL, at TEXT NOT NULL)")
                try db.execute(
                    sql: """
                        INSERT INTO epoch SELECT 1, value, 'created', coalesce((SELECT value FROM meta WHERE key = 'created'), '')
                        FROM meta WHERE key = 'epoch'
                        """)
                try db.execute(sql: "DELETE FROM meta WHERE key = 'epoch'")
                // What was moved from the log to files.
                try db.execute(
                    sql: """
                        CREATE TABLE checkpoint(last INTEGER PRIMARY KEY, first INTEGER NOT NULL, hash TEXT NOT NULL, file TEXT NOT NULL,
                        state TEXT NOT NULL, at TEXT NOT NULL, signer TEXT NOT NULL, signature TEXT NOT NULL)
                        """)
            },
            { db in
                // The state row of this name, with the newest event: nearly every event changes it, and beside the event it needs no page of
                // its own. Where the newest event has none, that in `state` holds.
                try db.execute(sql: "ALTER TABLE event ADD COLUMN counters TEXT")
            },
        ])

    /// "SGma"
    static let master = StoreSchema(
        applicationID: 0x5347_6D61,
        migrations: [
            { db in
                try db.execute(
                    sql: """
                        CREATE TABLE master("set" TEXT NOT NULL, id TEXT NOT NULL, body TEXT NOT NULL, deleted INTEGER NOT NULL,
                        PRIMARY KEY("set", id)) WITHOUT ROWID
                        """)
                try db.execute(sql: "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            }
        ])

    /// "SGix"
    static let index = StoreSchema(
        applicationID: 0x5347_6978,
        migrations: [
            { db in
                try db.execute(
                    sql: "CREATE TABLE event_subject(subject TEXT NOT NULL, seq INTEGER NOT NULL, PRIMARY KEY(subject, seq)) WITHOUT ROWID")
                try db.execute(sql: "CREATE TABLE meta(key TEXT PRIMARY KEY, value TEXT NOT NULL) WITHOUT ROWID")
            },
            { db in
                // What an older program has read must be read again for these.
                try db.execute(sql: "DELETE FROM event_subject")
                try db.execute(sql: "DELETE FROM meta")
                // One row for each item of each loan. Times are milliseconds since 1970; `…_by` is the event that says the time.
                try db.execute(
                    sql: """
                        CREATE TABLE loan(opened INTEGER PRIMARY KEY, loan TEXT NOT NULL, item TEXT NOT NULL, person TEXT NOT NULL,
                        station TEXT, episode TEXT, permit TEXT, out INTEGER NOT NULL, out_by INTEGER NOT NULL, zone INTEGER NOT NULL,
                        clock INTEGER NOT NULL, boot INTEGER, due INTEGER NOT NULL, ended INTEGER, ended_by INTEGER, how TEXT,
                        back INTEGER, back_by INTEGER, back_station TEXT, last INTEGER NOT NULL)
                        """)
                try db.execute(sql: "CREATE INDEX loan_item ON loan(item, out)")
                try db.execute(sql: "CREATE INDEX loan_last ON loan(last)")
                try db.execute(
                    sql: "CREATE TABLE renewal(seq INTEGER PRIMARY KEY, line INTEGER NOT NULL, time INTEGER NOT NULL, due INTEGER NOT NULL)"
                )
                try db.execute(sql: "CREATE INDEX renewal_line ON renewal(line)")
                try db.execute(
                    sql: """
                        CREATE TABLE inspection(seq INTEGER PRIMARY KEY, line INTEGER, item TEXT NOT NULL, loan TEXT, person TEXT,
                        station TEXT, time INTEGER NOT NULL, result TEXT NOT NULL)
                        """)
                try db.execute(sql: "CREATE INDEX inspection_time ON inspection(time)")
                try db.execute(
                    sql: """
                        CREATE TABLE objection(number INTEGER NOT NULL, item TEXT NOT NULL, person TEXT, station TEXT, episode TEXT,
                        time INTEGER NOT NULL, said_by INTEGER NOT NULL, kind TEXT NOT NULL, PRIMARY KEY(number, item)) WITHOUT ROWID
                        """)
                try db.execute(sql: "CREATE INDEX objection_time ON objection(time)")
                // Which clock stamped an event of these, for the day on which that clock turns out to have been wrong.
                try db.execute(
                    sql:
                        "CREATE TABLE stamp(seq INTEGER PRIMARY KEY, place INTEGER NOT NULL, boot INTEGER NOT NULL, uptime INTEGER NOT NULL)"
                )
            },
        ])
}
