import Decoding
import Readings

/// Tag reports per second from bytes of LLRP messages in memory.
enum LLRPBench {
    static let tags = 200

    static func run() {
        print("\nLLRP: RO_ACCESS_REPORT to tag reads, from memory, one core")
        print("tags a message   bytes a tag   chunk      reports/s   (median of 5 runs)")
        for (count, chunk) in [(1, 0), (100, 0), (100, 4_096), (10_000, 4_096)] {
            let message = report(of: count)
            let repetitions = max(1, 400_000 / count)
            let pieces =
                chunk == 0
                ? [message] : stride(from: 0, to: message.count, by: chunk).map { Array(message[$0..<min($0 + chunk, message.count)]) }
            var rates: [Double] = []
            for _ in 0..<5 {
                var decoder = LLRPReportDecoder()
                var batch = DecodedBatch()
                let (reads, time) = Main.measure {
                    var reads: UInt64 = 0
                    for _ in 0..<repetitions {
                        for piece in pieces {
                            piece.withUnsafeBytes { decoder.decode($0, at: .zero, into: &batch) }
                            reads += UInt64(batch.readings.count)
                            batch.removeAll()
                        }
                    }
                    return reads
                }
                precondition(reads == UInt64(repetitions * count), "\(reads) of \(repetitions * count) tags were read")
                rates.append(Double(reads) / time)
            }
            print(
                "\(Main.padded(count, 14))\(Main.padded(message.count / count, 14))\(Main.padded(chunk, 8))\(Main.padded(Int(rates.sorted()[2]), 15))"
            )
        }
        print("wanted: at least 1,000,000 reports/s")
    }

    /// What a reader reports with all that a gate asks for: antenna, channel, signal, first and last time, count.
    private static func report(of count: Int) -> [UInt8] {
        var parameters: [UInt8] = []
        for index in 0..<count {
            let number = index % tags
            var tag: [UInt8] = [0x8D, 0x34, 0x76, 0x45, 0x1F, 0xD4, 0, 0, 0, 0, 0, UInt8(number >> 8), UInt8(number & 255)]
            tag += [0x81, 0, UInt8(1 + index & 3)] + [0x87, 0, 3] + [0x86, UInt8(bitPattern: Int8(-40 - number % 30))]
            for type: UInt8 in [0x82, 0x84] {
                tag += [type] + withUnsafeBytes(of: UInt64(1_795_248_000_000_000 + index).bigEndian) { Array($0) }
            }
            tag += [0x88, 0, 1]
            parameters += [0x00, 0xF0, UInt8((tag.count + 4) >> 8), UInt8((tag.count + 4) & 255)] + tag
        }
        return [0x04, 0x3D] + withUnsafeBytes(of: UInt32(parameters.count + 10).bigEndian) { Array($0) } + [0, 0, 0, 1] + parameters
    }
}
