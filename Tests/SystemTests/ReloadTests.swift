import Foundation
import Readings
import Testing

extension SystemTests {
    /// Whoever mends something and reloads does not wait five minutes to see whether it was that.
    @Suite struct ReloadTests {
        @Test("A mended secret is used at once after a reload, also where nothing in the site file changed")
        func secret() async throws {
            try await story { place in
                let server = try await CaptureServer.start(at: place)
                try server.control(["token": "right"])
                try place.write("token", "wrong")
                let destination = Bench.serverDestination(server.url).dropLast() + "token_file = \"\(place.file("token"))\"\n\n"
                try Bench.set(up: place, more: String(destination))
                let scanner = try BenchScanner(place.file("dev/scanner"))
                let gateway = try await RunningGateway.start(at: place)
                try gateway.importMaster(Bench.master)
                try await gateway.reads("scanner")
                try await scanner.putAway(lot: "ONE")
                try await eventually("the receiver refuses us") {
                    let states = try gateway.get("destinations")["destinations"]?.array ?? []
                    return states.contains { $0["name"] == "upstream" && $0["state"] == "refused" } ? true : nil
                }
                try place.write("token", "right")
                #expect(try await place.stockgate("reload").status == 0)
                try await server.hasExactly(try gateway.get("events")["events"]?.array ?? [])
                #expect(try server.report().events.count == 1)
                #expect(try await gateway.stop() == 0)
            }
        }
    }
}
