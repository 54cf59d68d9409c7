import Foundation
import Readings
import Testing

extension SystemTests {
    /// Master data that come down by themselves, and people who are forgotten again.
    @Suite struct MasterDownTests {
        private func source(_ gateway: RunningGateway, _ name: String) throws -> JSON? {
            try gateway.get("status")["master"]?["sources"]?.array?.first { $0["name"]?.string == name }
        }

        private func exceptions(_ gateway: RunningGateway) throws -> [String] {
            (try gateway.get("exceptions")["exceptions"]?.array ?? []).compactMap { $0["code"]?.string }
        }

        @Test("Pulled by cursor, across a kill; what is wrong changes nothing and is said once")
        func pulled() async throws {
            try await story { place in
                let server = try await ServerOnTheSide("master_server.py", at: place)
                try server.control(["rows": .array(Bench.master)])
                try Bench.set(
                    up: place,
                    more: "[[source]]\nname = \"erp\"\nkind = \"pull\"\nurl = \"http://127.0.0.1:\(server.ports[0])/v2\"\ninterval_s = 1\n")
                let scanner = try BenchScanner(place.file("dev/scanner"))
                var gateway = try await RunningGateway.start(at: place)
                try await eventually("the snapshot is in force") {
                    try gateway.get("status")["master"]?["version"]?.integer == 1 ? true : nil
                }
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "ONE")

                gateway.child.send(SIGKILL)
                _ = try await gateway.child.end()
                try server.control(["rows": [["set": "locations", "id": "B-01", "name": "Rack B"]]])
                gateway = try await RunningGateway.start(at: place)
                let count = Int64(Bench.master.count + 1)
                try await eventually("the change is in force") {
                    try source(gateway, "erp")?["cursor"] == .string("c\(count)") ? true : nil
                }
                // Once: a gateway that was killed goes on where it was.
                #expect(try server.state()["asked"]?.array?.count { $0 == .null } == 1)

                // A tag of an item that nobody knows: with it a good row, which must not be taken in either.
                try server.control([
                    "rows": [
                        ["set": "items", "id": "NEW", "name": "New"], ["set": "tags", "id": "3476451FD4000000000003FF", "item": "GHOST"],
                    ]
                ])
                try await eventually("it is refused") { try source(gateway, "erp")?["state"] == "refused" ? true : nil }
                try await eventually("somebody must look") { try exceptions(gateway) == ["erp"] ? true : nil }
                #expect(try gateway.get("status")["master"]?["version"] == 2)
                try server.control(["rows": [["set": "items", "id": "GHOST", "name": "Here now"]]])
                // Left alone for five minutes, but not after a reload.
                #expect(try await place.stockgate("reload").status == 0)
                let last = count + 3
                try await eventually("the mended batch is in force") {
                    let source = try source(gateway, "erp")
                    return source?["state"] == "current" && source?["cursor"] == .string("c\(last)") ? true : nil
                }
                #expect(try gateway.get("status")["master"]?["version"] == 3)
                gateway.child.send(SIGTERM)
                #expect(try await gateway.child.end() == 0)
                #expect(try await EventLogCheck(of: place).problems == [])
            }
        }

        @Test("Files that are put into a folder are taken in once, or set aside with what is wrong")
        func dropped() async throws {
            try await story { place in
                try FileManager.default.createDirectory(atPath: place.file("drop"), withIntermediateDirectories: true)
                try Bench.set(up: place, more: "[[source]]\nname = \"drop\"\nkind = \"folder\"\npath = \"\(place.file("drop"))\"\n")
                let gateway = try await RunningGateway.start(at: place)
                try place.write("drop/.items.csv", "id,name\nHALF")
                try place.write("drop/10-items.csv", "编号,名称\nDRILL-01,Drill\nSAW-01,锯\n")
                let batch = [
                    #"{"master":1,"snapshot":true,"sets":["items"]}"#, #"{"set":"items","id":"DRILL-01","name":"Drill 18 V"}"#,
                    #"{"end":1,"cursor":"week-47","rows":1}"#,
                ]
                try place.write("drop/20-batch.ndjson", batch.joined(separator: "\n") + "\n")
                try place.write("drop/30-items.csv", "id,name\nX-1,\n")
                try await eventually("all three are settled") {
                    place.read("drop/refused/30-items.csv.reasons.txt").isEmpty ? nil : true
                }
                #expect(place.read("drop/done/10-items.csv").contains("锯") && place.read("drop/done/20-batch.ndjson").contains("week-47"))
                #expect(place.read("drop/refused/30-items.csv.reasons.txt").contains("X-1"))
                #expect(place.read("drop/.items.csv").contains("HALF"))
                let status = try gateway.get("status")
                #expect(status["master"]?["version"] == 2)
                #expect(try source(gateway, "drop")?["batches"] == 2)
                try await eventually("somebody must look") { try exceptions(gateway) == ["drop"] ? true : nil }
                #expect(try await gateway.stop() == 0)
            }
        }

        /// The bytes of a file hold a text, as it is or in hexadecimal digits, in UTF-8 or UTF-16.
        private func holds(_ bytes: Data, _ text: String) -> Bool {
            let forms = [Data(text.utf8), text.data(using: .utf16LittleEndian) ?? Data()]
            return forms.contains { form in
                let digits = form.map { String(format: "%02X", $0) }.joined()
                return bytes.range(of: form) != nil || bytes.range(of: Data(digits.utf8)) != nil
                    || bytes.range(of: Data(digits.lowercased().utf8)) != nil
            }
        }

        @Test("A backup that is asked for while a person is erased holds nothing of them")
        func backedUpMeanwhile() async throws {
            try await story { place in
                let (name, number) = ("Zacharias Unverkennbar", "PN-77881")
                try Bench.set(up: place)
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster([["set": "people", "id": .string(number), "name": .string(name)]])
                #expect(try await place.stockgate("backup").status == 0)
                func backups() throws -> [String] {
                    try FileManager.default.contentsOfDirectory(atPath: place.file("state/backups")).filter { $0.hasPrefix("TEST-") }
                        .sorted()
                }
                func holders() throws -> [String] {
                    try backups().filter {
                        holds(FileManager.default.contents(atPath: place.file("state/backups/\($0)/master.db")) ?? Data(), name)
                    }
                }
                #expect(try holders().count == 1)
                // Somebody else writes to the file: erasing comes as far as the copies and waits.
                let script =
                    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], isolation_level=None); c.execute('BEGIN IMMEDIATE'); "
                    + "print('held', flush=True); sys.stdin.read(); c.execute('ROLLBACK')"
                let writer = try Child(
                    Setting.python, ["-c", script, place.file("state/master.db")], output: place.file("writer.out"),
                    errors: place.file("writer.log"))
                try await eventually("the file is held") { place.read("writer.out").isEmpty ? nil : true }
                async let erasing = place.stockgate("person", "erase", number, "--yes")
                try await eventually("the copies are erased") { try holders().isEmpty ? true : nil }
                async let backup = place.stockgate("backup")
                // A backup that does not wait is there in this time.
                for _ in 0..<20 where try backups().count < 2 { try await Task.sleep(for: .milliseconds(100)) }
                writer.closeInput()
                let (erased, made) = try await (erasing, backup)
                #expect(erased.status == 0, "\(erased.errors)")
                #expect(made.status == 0, "\(made.errors)")
                #expect(try backups().count == 2)
                #expect(try holders() == [])
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test("After a person is erased no file holds their name, number or badge, and the chain still holds")
        func erased() async throws {
            try await story { place in
                let (name, number, badge) = ("Zacharias Unverkennbar", "PN-77881", "0099887766")
                try FileManager.default.createDirectory(atPath: place.file("state/drop"), withIntermediateDirectories: true)
                try Bench.set(
                    up: place, recorder: true,
                    more: "[[source]]\nname = \"drop\"\nkind = \"folder\"\npath = \"\(place.file("state/drop"))\"\n")
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try place.write("state/drop/people.csv", "id,name,badge\n\(number),\(name) (old name),\(badge)\n")
                try await eventually("the file is taken in") { place.read("state/drop/done/people.csv").isEmpty ? nil : true }
                // Earlier spellings lie in the file too.
                try gateway.importMaster([["set": "people", "id": .string(number), "name": .string(name)]])
                try await gateway.reads("scanner")
                scanner.scan(badge)
                try await scanner.awaits(.next)
                try await scanner.putAway(lot: "HIS")
                try await gateway.records(Hexadecimal.text(badge))
                func files() throws -> [String] {
                    let all = FileManager.default.enumerator(atPath: place.path)?.allObjects.compactMap { $0 as? String } ?? []
                    return all.filter { !$0.hasPrefix("dev") && !$0.hasSuffix(".sock") }
                }
                func witnesses() throws -> [String] {
                    try files().filter { file in
                        let bytes = FileManager.default.contents(atPath: place.file(file)) ?? Data()
                        return [name, number, badge].contains { holds(bytes, $0) }
                    }
                }
                let backup = try await place.stockgate("backup", "--json")
                #expect(backup.status == 0, "\(backup.errors)")
                #expect(try witnesses().contains { $0.hasPrefix("state/backups/") && $0.hasSuffix("master.db") })

                let preview = try await place.stockgate("person", "erase", number, "--dry-run", "--json")
                #expect(preview.status == 0, "\(preview.errors)")
                #expect(try !witnesses().isEmpty)
                let unknown = try await place.stockgate("person", "erase", "NOBODY", "--yes")
                #expect(unknown.status != 0)
                let run = try await place.stockgate("person", "erase", number, "--yes", "--json")
                #expect(run.status == 0, "\(run.errors)")
                let outcome = try JSON(parsing: Array(run.output.utf8))
                #expect(outcome["rows"] == ["people": 1, "credentials": 1])
                #expect(try witnesses() == [])

                // His work stands, under a key that leads nowhere; the gateway goes on, and records again.
                try await scanner.putAway(lot: "NEXT")
                try await gateway.records(Hexadecimal.text("NEXT"))
                let events = try gateway.get("events")["events"]?.array ?? []
                let his = events.first { $0["data"]?["stock"]?["lot"] == "HIS" }
                #expect(his?["actor"]?["person"] == outcome["person"])
                #expect(try await gateway.stop() == 0)
                #expect(try witnesses() == [])
                #expect(try await EventLogCheck(of: place).problems == [])
            }
        }
    }
}
