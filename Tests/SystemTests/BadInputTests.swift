import DeviceSimulators
import Foundation
import Readings
import TestSupport
import Testing

extension SystemTests {
    /// What comes in is from strangers: a clear answer each time, the daemon alive, nothing lost that was acknowledged.
    @Suite struct BadInputTests {
        @Test func randomBytesOnEveryLine() async throws {
            let seed = UInt64.random(in: 1...1_000_000)
            let seconds = Setting.isLong ? 60 : 5
            print("random bytes: seed \(seed), \(seconds) s")
            try await story { place in
                try GateDay.site(place)
                // Recorded all the time, in the least space that can be configured.
                try place.write("site.toml", place.read("site.toml").replacingOccurrences(of: "maximum_mb = 64", with: "maximum_mb = 1"))
                let reader = try BenchScanner(place.file("dev/gate-reader"))
                let badges = try BenchScanner(place.file("dev/gate-badge"))
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                let events = try Follower(eventsOf: gateway)
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "BEFORE")
                let before = gateway.residentKilobytes

                var random = SeededGenerator(seed: seed)
                var (sent, slowest) = (0, Duration.zero)
                let end = ContinuousClock.now + .seconds(seconds)
                while ContinuousClock.now < end {
                    for device in [reader, badges, scanner] {
                        let bytes = (0..<Int(random.next() % 600)).map { _ in UInt8(truncatingIfNeeded: random.next()) }
                        device.send(bytes)
                        sent += bytes.count
                        // What the gateway asks of a reader that answers rubbish is read away, as a device does it.
                        _ = device.answers()
                    }
                    let asked = ContinuousClock.now
                    _ = try gateway.get("status")
                    slowest = max(slowest, ContinuousClock.now - asked)
                    try await Task.sleep(for: .milliseconds(2))
                }
                // The end of whatever line was open; what it brought is answered before the box is.
                scanner.send([0x0D])
                try await gateway.isIdle("scanner")
                _ = scanner.answers()
                try await scanner.putAway(lot: "AFTER")
                try await events.next(lot: "AFTER")
                let rejects = try ["gate-badge", "scanner"].map { try gateway.rejects(of: $0) }
                try #require(rejects.allSatisfy { $0 > 0 }, "\(rejects)")
                let growth = gateway.residentKilobytes - before
                try #require(growth < 64 * 1_024, "\(growth) KB more memory")
                try #require(slowest < .seconds(2), "the API took \(slowest)")
                try #require(gateway.log.utf8.count < 64 * 1_024, "rubbish fills the log")
                try #require(try await gateway.stop() == 0)
                try #require(try await EventLogCheck(of: place).problems == [])
                let recordings = try FileManager.default.contentsOfDirectory(atPath: place.file("recordings")).sorted()
                let recorded = recordings.reduce(0) { $0 + place.read("recordings/\($1)").utf8.count }
                try #require(recordings.count > 1 && recorded < 1_100_000, "\(recordings): \(recorded) bytes")
                // Not always in the newest: one may have become full right after it.
                try #require(recordings.suffix(2).contains { place.read("recordings/\($0)").contains(Hexadecimal.text("AFTER")) })
                print(
                    "random bytes: \(sent) bytes, rejects \(rejects), slowest answer \(slowest), \(growth) KB more memory, log \(gateway.log.utf8.count) bytes"
                )
            }
        }

        @Test func aBarcodeOfTenThousandCharacters() async throws {
            try await story { place in
                try Bench.set(up: place)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                scanner.scan(String(repeating: "A", count: 10_000))
                try await eventually("it is counted as too long") { try gateway.device("scanner")["rejects"]?["tooLong"] }
                try await scanner.putAway(lot: "AFTER")
                let types = try gateway.get("events")["events"]?.array?.compactMap { $0["type"]?.string }
                #expect(types == ["master.applied", "stock.put_away"])
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test func escapeSequencesInABarcodeReachNoTerminal() async throws {
            try await story { place in
                // The shipped profiles let no such character through; this one does, so that everything behind it is tried.
                try Bench.set(up: place)
                try place.write("profiles/test/answering/profile.toml", Bench.profile("answering", controls: "1B 07 08 1D"))
                try place.write(
                    "site.toml",
                    place.read("site.toml") + Bench.device("strict", "generic/serial-scanner", place)
                        + Bench.station("strict-bench", scanners: ["strict"]))
                let (scanner, strict) = (try BenchScanner(place.file("dev/scanner")), try BenchScanner(place.file("dev/strict")))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                let events = try Follower(eventsOf: gateway)
                let watch = try await Follower.watching(gateway)
                try await gateway.reads("scanner")
                try await gateway.reads("strict")
                let watchOutput = place.file("watch.out")
                let watching = try Child(
                    Setting.program("stockgate"), ["watch", "--socket", place.file("control.sock")], output: watchOutput,
                    errors: watchOutput)
                try await eventually("stockgate watches") { place.read("watch.out").isEmpty ? nil : true }

                let hostile = "\u{1B}]0;owned\u{07}\u{1B}[31mRED\u{1B}[2J\u{08}\u{9B}1m\u{202E}abc"
                scanner.scan(hostile)
                try await scanner.awaits(.exception)
                let raised = try await events.next(exception: "unknown_code")
                try await watch.next("the reading is shown") { $0["scan"] != nil }
                // A name that is hostile too, by way of the master data's own door: refused.
                try place.write("hostile.json", #"[{"set":"locations","id":"X\u001b[31m","name":"x"}]"#)
                let refused = try await place.stockgate("import", place.file("hostile.json"))
                try #require(refused.status == 5, "\(refused.errors)")
                strict.scan(hostile)
                try await eventually("the shipped profile rejects it") { try gateway.rejects(of: "strict") > 0 ? true : nil }

                let number = try #require(raised["seq"]?.integer)
                var outputs = [
                    refused.errors, gateway.log, String(decoding: try gateway.raw("/v1/events"), as: UTF8.self),
                    place.read("events.ndjson"),
                ]
                outputs.append(String(decoding: try gateway.raw("/v1/exceptions"), as: UTF8.self))
                for arguments in [
                    ["events"], ["events", "--json"], ["exceptions"], ["exceptions", "show", "\(number)"], ["explain", "\(number)"],
                    ["explain", "\(number)", "--json"],
                ] {
                    let run = try await place.run(Setting.program("stockgate"), arguments + ["--socket", place.file("control.sock")])
                    try #require(run.status == 0, "\(arguments): \(run.errors)")
                    outputs.append(run.output)
                    outputs.append(run.errors)
                }
                try await eventually("stockgate watch shows it") { place.read("watch.out").contains("RED") ? true : nil }
                watching.send(SIGTERM)
                outputs.append(place.read("watch.out"))
                for output in outputs {
                    let raw = output.unicodeScalars.filter { scalar in
                        (scalar.value < 0x20 && scalar != "\n") || (0x7F..<0xA0).contains(scalar.value)
                            || (0x202A...0x202E).contains(scalar.value)
                    }
                    try #require(raw.isEmpty, "\(raw.map { String($0.value, radix: 16) }) in \(output.debugDescription)")
                }
                try #require(outputs.contains { $0.contains("RED") })
                try #require(try await gateway.stop() == 0)
            }
        }

        @Test func aTagThatNobodyKnows() async throws {
            try await story { place in
                try GateDay.site(place)
                let day = try GateDay(at: place, seed: 1)
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                let events = try Follower(eventsOf: gateway)
                try await day.isReady(gateway)
                day.walk(GateDay.stranger, badge: "0000100001", to: .out)
                let raised = try await events.next(exception: "unknown_tag")
                #expect(raised["data"]?["epcs"] == [.string(GateDay.stranger)])
                try await events.next("the last word of it") { $0["type"] == "exception.raised" && $0["certainty"] == "final" }
                // Known from now on, it is borrowed like anything else.
                #expect(try await place.stockgate("tag", "bind", GateDay.stranger, "--item", "METER-01").status == 0)
                day.walk(GateDay.stranger, badge: "0000100001", to: .out)
                #expect(try await events.next(type: "loan.checked_out")["data"]?["item"] == "METER-01")
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test func aProfileWithATypo() async throws {
            try await story { place in
                try Bench.set(up: place)
                let bad = Bench.profile("typo").replacingOccurrences(of: "terminator", with: "terminater")
                try place.write("profiles/test/typo/profile.toml", bad)
                try place.write(
                    "site.toml",
                    place.read("site.toml") + Bench.device("second", "test/typo", place)
                        + Bench.station("second-bench", scanners: ["second"]))
                let line =
                    try #require(bad.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix("terminater") }) + 1
                let scanner = try BenchScanner(place.file("dev/scanner"))

                let check = try await place.stockgate("profile", "check", place.file("profiles"))
                #expect(check.status == 5)
                #expect(
                    check.errors.contains("profiles/test/typo/profile.toml:\(line)") && check.errors.contains("terminater"),
                    "\(check.errors)")
                let json = try await place.stockgate("profile", "check", place.file("profiles"), "--json")
                let problem = try JSON(parsing: Array(json.output.utf8))["problems"]?.array?.first
                #expect(problem?["line"]?.integer == Int64(line) && problem?["key"]?.string == "decoder.terminater", "\(json.output)")

                // The rest works, and the device says why it does not.
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "GOOD")
                let second = try gateway.device("second")
                try #require(second["state"] == "absent")
                try #require(second["reason"]?.string?.contains("profile.toml:\(line)") == true, "\(second.canonicalText)")

                // Mended, and taken in by a reload.
                try place.write("profiles/test/typo/profile.toml", Bench.profile("typo"))
                let other = try BenchScanner(place.file("dev/second"))
                try #require(try await place.stockgate("reload").status == 0)
                try await gateway.reads("second")
                try await other.putAway(lot: "MENDED")
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test func aSiteFileWithANameThatDangles() async throws {
            try await story { place in
                try Bench.set(up: place)
                let good = place.read("site.toml")
                let bad = good.replacingOccurrences(of: "scanners = [\"scanner\"]", with: "scanners = [\"scaner\"]")
                let line =
                    try #require(bad.split(separator: "\n", omittingEmptySubsequences: false).firstIndex { $0.hasPrefix("scanners") }) + 1
                let place1 = "site.toml:\(line)"

                try place.write("site.toml", bad)
                let checked = try await place.stockgate("config", "check", place.file("site.toml"))
                #expect(checked.status == 5 && checked.errors.contains(place1) && checked.errors.contains("scaner"), "\(checked.errors)")
                let refused = try RunningGateway(at: place)
                #expect(try await refused.child.end() == 78)
                #expect(refused.log.contains(place1) && refused.log.contains("scaner"), "\(refused.log)")

                // A running one keeps what it has.
                try place.write("site.toml", good)
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try place.write("site.toml", bad)
                let reload = try await place.stockgate("reload")
                #expect(reload.status == 4 && reload.errors.contains(place1), "\(reload.errors)")
                gateway.child.send(SIGHUP)
                try await gateway.logs("not reloaded, nothing was changed")
                #expect(!gateway.log.contains("device closed"))
                try await scanner.putAway(lot: "STILL-THERE")

                // A profile that is nowhere dangles like any other name.
                try place.write("site.toml", good.replacingOccurrences(of: "test/answering", with: "test/nowhere"))
                let profile = try await place.stockgate("config", "check", place.file("site.toml"))
                #expect(profile.status == 5 && profile.errors.contains("test/nowhere"), "\(profile.output) \(profile.errors)")
                #expect(try await gateway.stop() == 0)
            }
        }

        @Test(.enabled(if: SmallDisk.isPossible, "needs root and the right to mount a tmpfs"))
        func aFullDisk() async throws {
            try await story { place in
                try Bench.set(up: place, recorder: true)
                try place.write(
                    "site.toml", place.read("site.toml").replacingOccurrences(of: place.file("state"), with: place.file("disk/state")))
                let disk = try SmallDisk(at: place.file("disk"), megabytes: 8)
                defer { disk.unmount() }
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "BEFORE")
                var acknowledged = ["BEFORE"]

                let filler = place.file("disk/filler")
                try SmallDisk.fill(filler)
                var refused: String?
                let end = ContinuousClock.now + .seconds(60)
                for number in 1... {
                    let lot = "FULL-\(number)"
                    scanner.scan(Bench.goods(lot: lot))
                    try await scanner.awaits(.next)
                    scanner.scan(Bench.shelf)
                    let answer = try await eventually("an answer on a full disk") { scanner.answers().first { $0 != .next } }
                    if answer == .notRecorded {
                        refused = lot
                        break
                    }
                    try #require(answer == .accepted && ContinuousClock.now < end)
                    acknowledged.append(lot)
                }
                // The reserve is used up only with the last: until then people went on working.
                let lost = try #require(refused)
                try #require(try gateway.get("status")["gateway"] == "TEST")
                let onFullDisk = acknowledged.count - 1

                unlink(filler)
                try await eventually("it records again", within: .seconds(30)) { () -> Bool? in
                    scanner.scan(Bench.goods(lot: "AFTER"))
                    scanner.scan(Bench.shelf)
                    var answer: BenchScanner.Answer?
                    for _ in 0..<100 where answer == nil {
                        usleep(20_000)
                        answer = scanner.answers().first { $0 == .accepted || $0 == .notRecorded }
                    }
                    return answer == .accepted ? true : nil
                }
                // The person who was told "not recorded" scans again.
                try await scanner.putAway(lot: lost)
                acknowledged += ["AFTER", lost]
                try #require(try await gateway.stop() == 0)
                let check = try await EventLogCheck(of: place, state: "disk/state")
                try #require(check.problems == [])
                let lots = try check.lots
                try #require(lots == acknowledged, "acknowledged and recorded differ")
                // A replay knows what could not be stored, too.
                let recording = try #require(try FileManager.default.contentsOfDirectory(atPath: place.file("recordings")).first)
                let replayed = try await place.stockgate(
                    "replay", "--config", place.file("site.toml"), place.file("recordings/\(recording)"))
                try #require(replayed.status == 0, "\(replayed.errors)")
                try #require(replayed.output.split(separator: "\n").map(String.init) == check.bodies)
                print("full disk: \(onFullDisk) pairs recorded on the reserve, then \"not recorded\"; \(lots.count) in the log")
            }
        }

        @Test func aTagForTwoThings() async throws {
            try await story { place in
                try Bench.set(up: place)
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                let epc = GateDay.drill
                try place.write("tags.csv", "epc,item\n\(epc),SAW-01\n\(epc),METER-01\n")
                let twice = try await place.stockgate("import", place.file("tags.csv"))
                #expect(twice.status == 5, "\(twice.output)\(twice.errors)")
                #expect(twice.errors.contains("tags.csv:"), "\(twice.errors)")

                try place.write(
                    "items.csv", "id,name,epc\nSAW-01,Circular saw,3476451FD4000000000003FF\nMETER-01,Multimeter,3476451FD4000000000003FF\n"
                )
                let both = try await place.stockgate("import", place.file("items.csv"))
                #expect(both.status == 5, "\(both.output)\(both.errors)")
                #expect(both.errors.contains("SAW-01") && both.errors.contains("METER-01"), "\(both.errors)")

                let bound = try await place.stockgate("tag", "bind", epc, "--item", "METER-01", "--json")
                #expect(bound.status == 4, "\(bound.output)\(bound.errors)")
                #expect(bound.errors.contains("DRILL-01"), "\(bound.errors)")
                // Bound here, then claimed by the master data for something else.
                let local = "3476451FD4000000000003AA"
                #expect(try await place.stockgate("tag", "bind", local, "--item", "METER-01").status == 0)
                try place.write("claim.json", "[{\"set\":\"tags\",\"id\":\"\(local)\",\"item\":\"SAW-01\"}]")
                let claim = try await place.stockgate("import", place.file("claim.json"))
                #expect(claim.status == 5 && claim.errors.contains(local) && claim.errors.contains("METER-01"), "\(claim.errors)")
                let shown = try await place.stockgate("tag", "show", epc, "--json")
                #expect(try JSON(parsing: Array(shown.output.utf8))["bearer"]?["item"] == "DRILL-01")
                #expect(try gateway.get("events")["events"]?.array?.compactMap { $0["type"]?.string } == ["master.applied", "tag.bound"])
                #expect(try await gateway.stop() == 0)
            }
        }
    }
}
