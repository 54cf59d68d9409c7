import Readings
import Simulation
import SiteConfiguration
import Stations
import Testing

@Suite("Putaway station: a simulated bench")
struct PutawayScenarioTests {
    @Test("Of scanners that read on, exactly the scans that were meant are left", arguments: 1...20 as ClosedRange<UInt64>)
    func meant(seed: UInt64) throws {
        let run = ScanRun(seed: seed)
        var station = PutawayStation(name: "bench", settings: .init(scanners: ScanRun.devices))
        var left: [Truth.Scan] = []
        for line in run.lines {
            guard case .scan(let scan) = line.content, let device = line.device else { continue }
            let index = try #require(ScanRun.devices.firstIndex(of: device))
            let text = String(decoding: scan.data, as: UTF8.self)
            let before = station.duplicates
            _ = station.scan(scan, from: DeviceIndex(UInt16(index)), at: line.time, known: text.hasPrefix("A-") ? .location : .product)
            if station.duplicates == before { left.append(Truth.Scan(time: line.time, device: device, code: text)) }
        }
        #expect(left == run.truth.scans)
        // Without the station there would be several times as many.
        #expect(run.lines.count > 3 * left.count)
    }
}
