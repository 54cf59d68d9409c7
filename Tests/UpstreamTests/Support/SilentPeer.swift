import Foundation
import Glibc
import Synchronization

/// A server that takes connections and then falls silent for good without closing them, as one whose machine is gone does.
final class SilentPeer: Sendable {
    enum Manner: Sendable {
        /// Never reads a byte.
        case deaf
        /// Reads all that comes and answers nothing.
        case mute
        /// Answers the first words with these bytes, and then with nothing more.
        case breakingOff(String)
        /// Speaks PostgreSQL until the connection is made, and then reads nothing more.
        case postgresql
        /// Likewise, and goes on to send notices every few milliseconds.
        case chattyPostgreSQL
    }

    let port: Int
    private let listener: Int32
    private let silence = DispatchSemaphore(value: 0)
    private let accepted = Mutex<[Int32]>([])

    init(_ manner: Manner) throws {
        listener = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        // Inherited by every connection: little is taken before a sender must wait.
        var size: Int32 = 4_096
        setsockopt(listener, SOL_SOCKET, SO_RCVBUF, &size, socklen_t(MemoryLayout<Int32>.size))
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { [listener] pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(listener, $0, length) == 0 && getsockname(listener, $0, &length) == 0 && listen(listener, 8) == 0
            }
        }
        guard result else { throw POSIXError(POSIXErrorCode(rawValue: errno) ?? .EIO) }
        port = Int(UInt16(bigEndian: address.sin_port))
        Thread.detachNewThread { [weak self, listener] in
            while true {
                let connection = accept(listener, nil, nil)
                guard connection >= 0, let self else { return }
                self.accepted.withLock { $0.append(connection) }
                Thread.detachNewThread { [silence = self.silence] in Self.serve(connection, manner, silence) }
            }
        }
    }

    deinit {
        shutdown(listener, Int32(SHUT_RDWR))
        close(listener)
        accepted.withLock { connections in
            for connection in connections {
                shutdown(connection, Int32(SHUT_RDWR))
                close(connection)
            }
        }
    }

    /// Waits until it has said its last useful word.
    func falls(silentWithin seconds: Double = 20) -> Bool { silence.wait(timeout: .now() + seconds) == .success }

    private static func serve(_ connection: Int32, _ manner: Manner, _ silence: DispatchSemaphore) {
        switch manner {
        case .deaf: silence.signal()
        case .mute:
            silence.signal()
            while read(connection, 65_536) != nil {}
        case .breakingOff(let text):
            guard read(connection, 65_536) != nil, send(connection, Array(text.utf8)) else { return }
            silence.signal()
        case .postgresql, .chattyPostgreSQL:
            guard greet(connection) else { return }
            silence.signal()
            guard case .chattyPostgreSQL = manner else { return }
            while send(connection, message("N", Array("SNOTICE\0Mhere\0\0".utf8))) { usleep(5_000) }
        }
    }

    /// PostgreSQL 15, sections 55.2.1, 55.2.3 and 55.7: start-up, and one statement with no row.
    private static func greet(_ connection: Int32) -> Bool {
        guard let length = read(connection, exactly: 4), read(connection, exactly: number(length) - 4) != nil,
            send(connection, message("R", [0, 0, 0, 0]) + message("Z", Array("I".utf8)))
        else { return false }
        while let head = read(connection, exactly: 5) {
            guard read(connection, exactly: number(Array(head[1...])) - 4) != nil else { return false }
            guard head[0] == UInt8(ascii: "S") else { continue }
            let answers = message("1") + message("2") + message("n") + message("C", Array("SELECT 0\0".utf8))
            return send(connection, answers + message("Z", Array("I".utf8)))
        }
        return false
    }

    private static func message(_ type: String, _ body: [UInt8] = []) -> [UInt8] {
        Array(type.utf8) + [0, 0, 0, UInt8(4 + body.count)] + body
    }

    private static func number(_ bytes: [UInt8]) -> Int { bytes.reduce(0) { $0 << 8 | Int($1) } }

    private static func read(_ connection: Int32, exactly count: Int) -> [UInt8]? {
        var bytes: [UInt8] = []
        while bytes.count < count {
            guard let piece = read(connection, count - bytes.count) else { return nil }
            bytes += piece
        }
        return bytes
    }

    private static func read(_ connection: Int32, _ most: Int) -> [UInt8]? {
        var piece = [UInt8](repeating: 0, count: most)
        let count = recv(connection, &piece, most, 0)
        return count > 0 ? Array(piece[..<count]) : nil
    }

    private static func send(_ connection: Int32, _ bytes: [UInt8]) -> Bool {
        Glibc.send(connection, bytes, bytes.count, Int32(MSG_NOSIGNAL)) == bytes.count
    }
}
