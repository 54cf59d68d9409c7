import Readings
import Testing

@testable import Ledger

@Suite("Letting somebody in: the form of the command")
struct OpenCommandTests {
    @Test("A command is read as it was written")
    func roundTrip() throws {
        for person in [nil, PersonKey("p-1")] {
            let command = Command.openStation(station: "cab", person: person, reason: "消防检查")
            #expect(Command(json: command.json) == command)
        }
    }

    @Test(
        "Half a command is none",
        arguments: [
            ["do": "station.open"], ["do": "station.open", "station": "cab"], ["do": "station.open", "reason": "x"],
            ["do": "station.open", "station": "cab", "reason": ""], ["do": "station.open", "station": "cab", "reason": 7],
            ["do": "station.open", "station": "cab", "reason": "x", "person": 7],
            ["do": "station.open", "station": "cab", "reason": "x", "person": ""],
            ["do": "station.open", "station": "cab", "reason": .string(String(repeating: "x", count: 513))],
        ] as [JSON])
    func notUnderstood(json: JSON) {
        #expect(Command(json: json) == nil)
    }

    @Test("Only cabinets are opened")
    func onlyCabinets() {
        let ledger = Fixture.ledger()
        for (station, code) in [("gate", CommandRefusal.Code.conflict), ("nowhere", .notFound)] {
            do throws(CommandRefusal) {
                _ = try ledger.plan(.openStation(station: station, person: nil, reason: "x"), by: "uid:0", at: Fixture.now)
                Issue.record("\(station) was opened")
            } catch { #expect(error.code == code) }
        }
    }
}
