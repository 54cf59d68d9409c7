import DeviceSimulators
import Glibc
import Readings
import Testing

/// The simulated reader in the hands of a client that others wrote: what our own client is tried with speaks the protocol.
@Suite(.timeLimit(.minutes(2))) struct LLRPSllurpTests {
    static let python = getenv("STOCKGATE_PYTHON").map { String(cString: $0) } ?? ""
    static var hasSllurp: Bool { !python.isEmpty && system("'\(python)' -c 'import sllurp' 2>/dev/null") == 0 }

    @Test(.enabled(if: hasSllurp, "sllurp is not installed"), arguments: LLRPReaderSimulator.Personality.allCases)
    func sllurpReadsTheSimulatedReader(personality: LLRPReaderSimulator.Personality) throws {
        var reader = LLRPReaderSimulator(.init(personality))
        reader.tags = [LLRPSessionTests.tag]
        let server = try SimulatedDeviceRunner(reader, at: .listen(host: "127.0.0.1", port: 0))
        server.start()
        defer { server.stop() }
        let script = String(#filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(2).joined(separator: "/"))
        let command =
            "timeout 30 '\(Self.python)' '\(script)/counterparts/llrp_client.py' \(LLRPRunnerTests.port(server.address)) 1 \(personality.rawValue) 2>&1"
        let pipe = try #require(popen(command, "r"))
        var bytes: [UInt8] = []
        var buffer = [UInt8](repeating: 0, count: 65_536)
        while case let count = fread(&buffer, 1, buffer.count, pipe), count > 0 { bytes += buffer[..<count] }
        _ = pclose(pipe)
        let text = String(decoding: bytes, as: UTF8.self)
        #expect(text.lowercased().contains("3005fb63ac1f3841ec880467"), "\(text.suffix(3_000))")
        #expect(!text.contains("Traceback"), "\(text.suffix(3_000))")
        #expect(server.device.complaints == [])
        #expect(server.device.receivedTypes.contains(20))
    }
}
