import CLinux
import Devices
import Foundation
import Readings
import Testing

/// The shims, against what the system says by another way.
@Suite struct LinuxCallTests {
    @Test func knowsWhoIsAtTheOtherEndOfASocket() {
        var ends: [Int32] = [0, 0]
        #expect(socketpair(AF_UNIX, Int32(SOCK_STREAM.rawValue), 0, &ends) == 0)
        defer { for end in ends { close(end) } }
        var (process, user, group) = (pid_t(), uid_t(), gid_t())
        #expect(clinux_peer_credentials(ends[0], &process, &user, &group) == 0)
        #expect(process == getpid() && user == geteuid() && group == getegid())
    }

    @Test func bootClockCountsSinceTheMachineStarted() throws {
        let text = try String(contentsOfFile: "/proc/uptime", encoding: .utf8)
        let uptime = try #require(text.split(separator: " ").first.flatMap { Double($0) })
        #expect(abs(Double(BootClock.now().nanoseconds) / 1e9 - uptime) < 5)
    }

    @Test func watchesTheWallClock() {
        #expect([0, 1].contains(clinux_clock_is_synchronised()))
        let watch = clinux_open_clock_step_watch()
        defer { close(watch) }
        var request = pollfd(fd: watch, events: Int16(POLLIN), revents: 0)
        // Nobody steps it now.
        #expect(watch >= 0 && poll(&request, 1, 0) == 0)
        #expect(clinux_arm_clock_step_watch(watch) == 0)
    }

    @Test func namesErrorsAsTheManualDoes() {
        #expect(clinux_errno_name(EACCES).map { String(cString: $0) } == "EACCES")
        #expect(clinux_errno_name(99_999) == nil)
        let unknown = DeviceError(.open, path: "/dev/x", errorNumber: 99_999)
        #expect(unknown.description == "open /dev/x: Unknown error 99999 (error 99999)")
    }
}
