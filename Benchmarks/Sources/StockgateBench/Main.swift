import CPeer
import Decoding
import Engine
import Glibc
import Identifiers
import Readings
import SiteConfiguration

/// Reads per second from bytes in memory to the gate's verdict, beside a plain C loop over the same bytes in the same run.
@main
enum Main {
    static let tags = 200
    static let rounds = 60_000

    static func main() {
        print("decode → presence → station, from memory, one core; \(tags) tags that stay, 21-byte frames, \(rounds) chunks")
        print("chunk bytes   C reads/s   engine reads/s   CPU ratio   (median of 5 interleaved runs)")
        var isVoid = false
        for framesPerChunk in [1, 16, 195] {
            let chunks = stream(framesPerChunk: framesPerChunk)
            var ratios: [Double] = []
            var peers: [Double] = []
            var ours: [Double] = []
            for _ in 0..<5 {
                let (peerReads, peerTime) = measure { runPeer(chunks) }
                let (reads, time) = measure { runEngine(chunks) }
                precondition(peerReads == reads, "the peer read \(peerReads) tags, the engine \(reads)")
                peers.append(Double(peerReads) / peerTime)
                ours.append(Double(reads) / time)
                ratios.append(time / peerTime)
            }
            let peer = peers.sorted()[2]
            isVoid = isVoid || peer < 10_000_000
            print(
                "\(padded(framesPerChunk * 21, 11))\(padded(Int(peer), 12))\(padded(Int(ours.sorted()[2]), 17))      \(rounded(ratios.sorted()[2]))"
            )
        }
        print(
            isVoid
                ? "void: the C loop makes less than 10,000,000 reads/s on this machine"
                : "wanted: at least 2,000,000 reads/s, ratio at most 6")
        LLRPBench.run()
        VisitsBench.run()
    }

    /// The bytes of a reader with four antennas, in chunks as a read brings them. Time goes on as 16,000 reads/s take it.
    static func stream(framesPerChunk: Int) -> [[UInt8]] {
        let total = rounds * 16 / 4
        var state: UInt64 = 7
        var chunks: [[UInt8]] = []
        var frames = 0
        while frames < total {
            var chunk: [UInt8] = []
            for _ in 0..<framesPerChunk {
                state = state &* 6_364_136_223_846_793_005 &+ 1_442_695_040_888_963_407
                let number = Int(state >> 33) % tags
                let epc: [UInt8] = [0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)]
                var frame: [UInt8] = [0xA0, 0x13, 0x01, 0x8A, UInt8(1 << 2 | frames & 3), 0x30, 0] + epc + [UInt8(60 + number % 30)]
                frame.append(0 &- frame.reduce(0, &+))
                chunk += frame
                frames += 1
            }
            chunks.append(chunk)
        }
        return chunks
    }

    static func runPeer(_ chunks: [[UInt8]]) -> UInt64 {
        let peer = peer_create(1_024)
        defer { peer_destroy(peer) }
        var now: Int64 = 0
        for _ in 0..<4 {
            for chunk in chunks {
                now += Int64(chunk.count / 21) * 62_500
                _ = chunk.withUnsafeBufferPointer { peer_receive(peer, $0.baseAddress, $0.count, now) }
            }
        }
        return peer_reads(peer)
    }

    static func runEngine(_ chunks: [[UInt8]]) -> UInt64 {
        let sides: [GateSide] = [.inside, .outside, .inside, .outside]
        let site = Site(
            gateway: .init(code: "BENCH", site: "bench"), devices: [.init(name: "uhf")],
            stations: [
                .init(
                    name: "gate",
                    kind: .gate(
                        .init(antennas: sides.enumerated().map { .init(device: "uhf", port: UInt8($0.offset + 1), side: $0.element) })))
            ])
        var engine = Engine(site: site, epoch: 1, startingAt: .zero)
        var output = EngineOutput()
        engine.opened(DeviceIndex(0), program: DeviceProgram(decoder: .a0(.init())), at: .zero, into: &output)
        var now: Int64 = 0
        for _ in 0..<4 {
            for chunk in chunks {
                now += Int64(chunk.count / 21) * 62_500
                chunk.withUnsafeBytes { engine.received($0, from: DeviceIndex(0), at: Instant(nanoseconds: now), into: &output) }
            }
        }
        precondition(engine.gates[0].openVisits == tags && output.commits.isEmpty)
        return engine.devices[0].session?.counters.readings ?? 0
    }

    /// CPU seconds of this process, not wall time: another process must not count.
    static func measure(_ body: () -> UInt64) -> (UInt64, Double) {
        let start = cpu()
        let result = body()
        return (result, cpu() - start)
    }

    static func cpu() -> Double {
        var time = timespec()
        clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &time)
        return Double(time.tv_sec) + Double(time.tv_nsec) / 1e9
    }

    static func padded(_ number: Int, _ width: Int) -> String {
        let text = String(number)
        return String(repeating: " ", count: max(1, width - text.count)) + text
    }

    static func rounded(_ value: Double) -> String { "\((value * 100).rounded() / 100)" }
}
