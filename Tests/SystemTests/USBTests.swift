import Foundation
import Readings
import Testing
import USBBench

extension SystemTests {
    /// Scanners that are plugged in, pulled out and plugged in again, found by what udev says of them.
    @Suite struct USBTests {
        /// Neither device has a port: the wedge is found by its profile's own rules, the scanner by the site file's match.
        private static func site(_ place: Workplace, server: String) -> String {
            Bench.gateway(place, recorder: true) + """
                [[device]]
                name = "wedge"
                profile = "zebra/keyboard-wedge"

                [[device]]
                name = "scanner"
                profile = "zebra/cdc-scanner"
                match = { ID_VENDOR_ID = "05e0", ID_MODEL_ID = "1701", ID_SERIAL_SHORT = "S*" }

                [[station]]
                name = "wedge-bench"
                kind = "putaway"
                location = "CRIB"
                scanners = ["wedge"]

                [[station]]
                name = "scanner-bench"
                kind = "putaway"
                location = "CRIB"
                scanners = ["scanner"]


                """ + Bench.fileDestination(place) + Bench.serverDestination(server)
        }

        @Test func scansArePutAwayAndDeliveredHoweverTheScannersArePluggedIn() async throws {
            try await story { place in
                let server = try await CaptureServer.start(at: place)
                try place.write("site.toml", Self.site(place, server: server.url))
                let log = place.newLog()
                let bench = try USBBench(
                    program: "/bin/sh",
                    arguments: [
                        "-c", "exec \"$0\" --config \"$1\" 2>\"$2\"", try Setting.program("stockgated"), place.file("site.toml"), log,
                    ])
                let gateway = try RunningGateway(startedElsewhereAt: place, log: log)

                // Cold: there before the daemon, among others that nobody asked for.
                try await bench.command("plug-serial ttyACM0 05e0 1701 S1")
                try await bench.command("plug-serial ttyACM5 05e0 1701 X9")
                try await bench.command("plug-keyboard event7 05e0 1200 -")
                try await bench.command("plug-keyboard event8 046d c31c -")
                try await bench.command("start")
                try await gateway.logs("ready")
                try gateway.importMaster(Bench.master)
                let events = try Follower(eventsOf: gateway)
                try await gateway.opens("scanner", at: "/dev/ttyACM0", times: 1)
                try await bench.await("grab event7")
                try await gateway.opens("wedge", at: "/dev/input/event7", times: 1)

                try await bench.scan("ttyACM0", Bench.goods(lot: "COLD-1"), Bench.shelf)
                try await events.next(lot: "COLD-1")
                try await bench.type("event7", Bench.goods(lot: "COLD-2"), Bench.shelf)
                try await events.next(lot: "COLD-2")

                // Pulled in the middle of a label. What is left of the label afterwards must not complete it.
                try await bench.command("send-serial ttyACM0 \(Hexadecimal.text("LOC-A-0"))")
                try await gateway.records(Hexadecimal.text("LOC-A-0"))
                try await bench.command("unplug ttyACM0")
                try await gateway.logs("device closed device=scanner", times: 1)
                try await bench.command("plug-serial ttyACM0 05e0 1701 S1")
                try await gateway.opens("scanner", at: "/dev/ttyACM0", times: 2)
                try await bench.command("send-serial ttyACM0 \(Hexadecimal.text("1-03\r"))")
                #expect(try await events.next(exception: "unknown_code")["data"]?["code"] == "1-03")
                try await bench.scan("ttyACM0", Bench.goods(lot: "SAME-PORT"), Bench.shelf)
                try await events.next(lot: "SAME-PORT")

                // The same with the wedge: two keys of a scan, then it is gone.
                try await bench.command("type event7 LO")
                try await gateway.records("[24,1]")
                try await bench.command("unplug event7")
                try await gateway.logs("device closed device=wedge", times: 1)
                try await bench.command("plug-keyboard event7 05e0 1200 -")
                try await bench.await("grab event7")
                try await gateway.opens("wedge", at: "/dev/input/event7", times: 2)
                try await bench.type("event7", Bench.goods(lot: "SAME-PLACE"), Bench.shelf)
                try await events.next(lot: "SAME-PLACE")

                // On other ports of the machine, with other names.
                try await bench.command("unplug ttyACM0")
                try await bench.command("plug-serial ttyACM1 05e0 1701 S1 1-9")
                try await gateway.opens("scanner", at: "/dev/ttyACM1", times: 1)
                try await bench.command("unplug event7")
                try await bench.command("plug-keyboard event9 05e0 1200 - 1-8")
                try await bench.await("grab event9")
                try await gateway.opens("wedge", at: "/dev/input/event9", times: 1)
                try await bench.scan("ttyACM1", Bench.goods(lot: "OTHER-PORT"), Bench.shelf)
                try await events.next(lot: "OTHER-PORT")
                try await bench.type("event9", Bench.goods(lot: "OTHER-PLACE"), Bench.shelf)
                try await events.next(lot: "OTHER-PLACE")

                // Why which profile: the matched one, and the first property that failed elsewhere.
                let explained = try await place.stockgate("profile", "explain", "wedge", "--json")
                #expect(explained.status == 0)
                #expect(try JSON(parsing: Array(explained.output.utf8))["profile"] == "zebra/keyboard-wedge")

                #expect(try await bench.command("stop") == "0")
                let check = try await EventLogCheck(of: place)
                try #require(check.problems == [])
                try #require(try check.lots == ["COLD-1", "COLD-2", "SAME-PORT", "SAME-PLACE", "OTHER-PORT", "OTHER-PLACE"])
                try await server.hasExactly(check.events)
                print(
                    "USB: \(check.bodies.count) events, \(try server.report().events.count) upstream, validated: \(try server.report().isValidating)"
                )
            }
        }
    }
}

extension USBBench {
    /// Labels that a serial scanner reads.
    fileprivate func scan(_ name: String, _ labels: String...) async throws {
        for label in labels { try await command("send-serial \(name) \(Hexadecimal.text(label + "\r"))") }
    }

    /// Labels that a keyboard wedge types.
    fileprivate func type(_ name: String, _ labels: String...) async throws {
        for label in labels { try await command("type \(name) \(label)\\n") }
    }
}
