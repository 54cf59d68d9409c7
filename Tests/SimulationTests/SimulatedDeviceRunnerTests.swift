import DeviceSimulators
import Dispatch
import Glibc
import Testing

@Suite("Simulated devices on pseudo-terminals")
struct SimulatedDeviceRunnerTests {
    /// What comes from a descriptor until so many bytes are there, five seconds at most.
    private func read(_ count: Int, from descriptor: Int32) -> [UInt8] {
        var bytes: [UInt8] = []
        var request = pollfd(fd: descriptor, events: Int16(POLLIN), revents: 0)
        while bytes.count < count, poll(&request, 1, 5_000) > 0 {
            var buffer = [UInt8](repeating: 0, count: 256)
            let taken = Glibc.read(descriptor, &buffer, buffer.count)
            guard taken > 0 else { break }
            bytes += buffer[..<taken]
        }
        return bytes
    }

    @Test func answersOnItsLine() throws {
        let device = try SimulatedDeviceRunner(OSDPReaderSimulator())
        device.start()
        let line = open(device.address, O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(line >= 0)
        defer { close(line) }
        // A poll of address 0 with number 0, and its acknowledgement.
        let poll: [UInt8] = [0xFF, 0x53, 0x00, 0x08, 0x00, 0x04, 0x60, 0xEB, 0xAA]
        #expect(write(line, poll, poll.count) == poll.count)
        #expect(read(9, from: line).prefix(7) == [0xFF, 0x53, 0x80, 0x08, 0x00, 0x04, 0x40])
        #expect(device.device.answers == 1)
        device.stop()
    }

    @Test func speaksByItselfWhenACardComes() throws {
        let device = try SimulatedDeviceRunner(PN532Simulator())
        device.start()
        let line = open(device.address, O_RDWR | O_NOCTTY | O_CLOEXEC)
        try #require(line >= 0)
        defer { close(line) }
        let command: [UInt8] = [0x55, 0x55, 0x00, 0x00, 0x00, 0xFF, 0x04, 0xFC, 0xD4, 0x4A, 0x01, 0x00, 0xE1, 0x00]
        #expect(write(line, command, command.count) == command.count)
        #expect(read(6, from: line) == [0x00, 0x00, 0xFF, 0x00, 0xFF, 0x00])
        device.perform(.badge("04A2B3C4"))
        #expect(read(19, from: line) == [0, 0, 0xFF, 0x0C, 0xF4, 0xD5, 0x4B, 1, 1, 0, 4, 8, 4, 4, 0xA2, 0xB3, 0xC4, 0xB1, 0])
        device.stop()
    }

    /// Whoever stops it finds the plug pulled.
    @Test func severalMayStopItAtOnce() throws {
        for _ in 0..<10 {
            let device = try SimulatedDeviceRunner(OSDPReaderSimulator())
            device.start()
            DispatchQueue.concurrentPerform(iterations: 2) { _ in
                device.stop()
                let line = open(device.address, O_RDWR | O_NOCTTY | O_CLOEXEC)
                #expect(line < 0)
                if line >= 0 { close(line) }
            }
            device.stop()
        }
    }
}
