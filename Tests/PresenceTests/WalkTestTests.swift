import Presence
import Readings
import Testing

@Suite struct WalkTestTests {
    private let antennas = [
        WalkTest.Antenna(name: "reader:1", side: .inside), WalkTest.Antenna(name: "reader:2", side: .outside),
    ]

    /// A walk in which each antenna is read every `cycle` ms while the tag is within its reach, in ms.
    private func reads(_ spans: [ClosedRange<Int64>], cycle: Int64 = 130, rssi: [Int16] = [-5_500, -5_500]) -> [WalkTest.Read] {
        spans.indices.flatMap { antenna in
            stride(from: spans[antenna].lowerBound + Int64(antenna) * cycle / 2, through: spans[antenna].upperBound, by: Int(cycle)).map {
                WalkTest.Read(at: .zero + .milliseconds($0), antenna: antenna, rssi: rssi[antenna])
            }
        }
    }

    private func goodWalk(_ task: WalkTest.Task) -> WalkTest.Walk {
        switch task {
        case .out: WalkTest.Walk(task: task, reads: reads([0...2_000, 700...2_700]), decision: .passed(.out))
        case .in: WalkTest.Walk(task: task, reads: reads([700...2_700, 0...2_000]), decision: .passed(.in))
        case .turnRound: WalkTest.Walk(task: task, reads: reads([0...3_000, 1_000...2_000]), decision: .none)
        case .standNear: WalkTest.Walk(task: task, reads: reads([0...10_000, 0...100], rssi: [-6_800, -7_200]), decision: .none)
        }
    }

    private func walked(_ change: (inout WalkTest.Walk) -> Void = { _ in }) -> WalkTest {
        var walked = WalkTest(antennas: antennas)
        while let task = walked.next {
            var walk = goodWalk(task)
            change(&walk)
            walked.add(walk)
        }
        return walked
    }

    @Test func aGoodGateNeedsNothing() {
        let test = walked()
        #expect(test.walks.count == 10)
        #expect(test.advice.isEmpty)
        let report = test.report(antenna: 0)
        #expect(report.reads == 16)
        #expect(report.strongest == -5_500)
        #expect(report.strongestNear == -6_800)
        #expect(report.returnTime == .milliseconds(130))
        #expect(report.bias == 0)
    }

    @Test func aWalkIsMadeAgain() {
        var test = walked()
        test.undo()
        #expect(test.next == .standNear)
    }

    @Test func anAntennaWithoutReadsIsSilent() {
        let test = walked { walk in walk.reads.removeAll { $0.antenna == 1 } }
        #expect(test.advice.contains(.silent(1)))
        #expect(!test.advice.contains(.fewReads(1)))
    }

    @Test func sidesThatAreSwappedAreSeen() {
        let test = walked { walk in if case .passed(let direction) = walk.decision { walk.decision = .passed(direction.opposite) } }
        #expect(test.advice.first == .sidesSwapped)
    }

    @Test func antennasThatSeeTheSameAreSeen() {
        let test = walked { walk in if walk.task.direction != nil { walk.reads = reads([0...2_700, 0...2_700]) } }
        #expect(test.advice == [.sidesAlike])
    }

    @Test func fewReadsAndASlowCycleAreSeen() {
        let test = walked { walk in
            walk.reads = reads(walk.task == .in ? [700...2_700, 0...2_000] : [0...2_000, 700...2_700], cycle: 900)
        }
        #expect(test.advice == [.fewReads(0), .slowReturn(0), .fewReads(1), .slowReturn(1), .nearIsStrong])
    }

    @Test func whoStandsNearMustBeWeaker() {
        let test = walked { walk in if walk.task == .standNear { walk.reads = reads([0...10_000, 0...100], rssi: [-5_800, -7_200]) } }
        #expect(test.advice == [.nearIsStrong])
    }

    @Test func wrongDecisionsAreSeen() {
        #expect(walked { walk in if walk.task == .turnRound { walk.decision = .passed(.out) } }.advice == [.falseCrossing])
        var missed = false
        let test = walked { walk in
            if walk.task == .in, !missed { (walk.decision, missed) = (.uncertain, true) }
        }
        #expect(test.advice == [.missedCrossing])
    }

    @Test func oneStrongAntennaHasABias() {
        let test = walked { walk in
            walk.reads = walk.reads.map { WalkTest.Read(at: $0.at, antenna: $0.antenna, rssi: $0.antenna == 0 ? -5_100 : -5_500) }
        }
        #expect(test.report(antenna: 0).bias == 200)
        #expect(test.report(antenna: 1).bias == -200)
    }

    @Test func aReaderWithoutSignalLevelsHasNoBias() {
        let test = walked { walk in
            walk.reads = walk.reads.map { WalkTest.Read(at: $0.at, antenna: $0.antenna, rssi: TagRead.noRSSI) }
        }
        #expect(test.report(antenna: 0).bias == nil)
        #expect(test.advice.isEmpty)
    }
}
