import Glibc
import HTTPClient
import SiteConfiguration
import Synchronization

/// Adds events to a table of a PostgreSQL database, one transaction a batch. The receipt is the commit; a row that is there already is
/// left as it is.
public final class PostgreSQLDestination: Destination {
    private let configuration: Site.Destination.PostgreSQL
    private let parameters: PostgreSQLParameters
    private let statement: String
    private let gatewayCode: String
    private let stopSignal: StopSignal
    private let memory: Mutex<Memory>

    private struct Memory: ~Copyable {
        var sizer: BatchSizer
        var session: PostgreSQLSession?
        /// The files as they were when the session began.
        var stamps: [FileStamp] = []
    }

    /// - Throws: `DeliveryError.refused` for a connection string that libpq cannot read or a table name that is none.
    public init(
        _ configuration: Site.Destination.PostgreSQL, gatewayCode: String, batch: Int, stopSignal: StopSignal
    ) throws(DeliveryError) {
        do throws(PostgreSQLParameterError) {
            parameters = try PostgreSQLParameters(configuration.connection)
        } catch {
            throw .refused("connection: \(error.reason)")
        }
        guard let table = PostgreSQLParameters.quoted(table: configuration.table) else {
            throw .refused("\(printable(configuration.table)) is no table name")
        }
        self.configuration = configuration
        self.gatewayCode = gatewayCode
        self.stopSignal = stopSignal
        statement = """
            INSERT INTO \(table) (gateway, epoch, seq, id, type, time, body) \
            SELECT $1::text, e.epoch, e.seq, e.id, e.type, e.time, e.body::jsonb \
            FROM unnest($2::text[], $3::bigint[], $4::uuid[], $5::text[], $6::timestamptz[], $7::text[]) \
            AS e(epoch, seq, id, type, time, body) ON CONFLICT (gateway, epoch, seq) DO NOTHING
            """
        memory = Mutex(Memory(sizer: BatchSizer(most: batch)))
    }

    public func deliver(_ batch: [OutgoingEvent]) throws(DeliveryError) -> Receipt {
        // Held for as long as the delivery takes: there is one at a time.
        let result = memory.withLock { memory in
            Result { () throws(DeliveryError) in try deliver(batch, &memory) }
        }
        return try result.get()
    }

    private func deliver(_ batch: [OutgoingEvent], _ memory: inout Memory) throws(DeliveryError) -> Receipt {
        let stamps = (configuration.tls.files.all + [configuration.passwordFile].compactMap { $0 }).map(FileStamp.init)
        if stamps != memory.stamps { memory.session = nil }
        var receipt = Receipt(upTo: (batch.first?.sequence ?? 1) - 1)
        var queue = batch[...]
        do {
            let session: PostgreSQLSession
            if let known = memory.session {
                session = known
            } else {
                session = try PostgreSQLSession(configuration, parameters, stopSignal: stopSignal)
                memory.session = session
                memory.stamps = stamps
            }
            while !queue.isEmpty {
                let chunk = queue.prefix(memory.sizer.count(of: queue.lazy.map(\.bytes.count)))
                switch try session.run(statement, values(of: chunk)) {
                case .done(let rows):
                    receipt.delivered += rows
                    receipt.duplicates += chunk.count - rows
                    memory.sizer.succeeded(chunk.count)
                case .refused where chunk.count > 1:
                    memory.sizer.failed(chunk.count)
                    continue
                case .refused(let reason): try memory.sizer.reject(chunk.first?.sequence ?? 0, reason, &receipt)
                }
                receipt.upTo = chunk.last?.sequence ?? receipt.upTo
                queue = queue.dropFirst(chunk.count)
            }
        } catch {
            memory.session = nil
            if receipt.upTo < (batch.first?.sequence ?? 0) { throw error }
        }
        return receipt
    }

    private func values(of events: ArraySlice<OutgoingEvent>) -> [String] {
        [
            gatewayCode, Self.array(events.map(\.origin)), Self.array(events.map { String($0.sequence) }), Self.array(events.map(\.id)),
            Self.array(events.map(\.type)), Self.array(events.map(\.time)),
            Self.array(events.map { String(decoding: $0.bytes, as: UTF8.self) }),
        ]
    }

    /// The text form of an array: PostgreSQL 15, section 8.15.6.
    private static func array(_ elements: [String]) -> String {
        var bytes: [UInt8] = [UInt8(ascii: "{")]
        for (position, element) in elements.enumerated() {
            if position > 0 { bytes.append(UInt8(ascii: ",")) }
            bytes.append(UInt8(ascii: "\""))
            for byte in element.utf8 {
                if byte == UInt8(ascii: "\"") || byte == UInt8(ascii: "\\") { bytes.append(UInt8(ascii: "\\")) }
                bytes.append(byte)
            }
            bytes.append(UInt8(ascii: "\""))
        }
        bytes.append(UInt8(ascii: "}"))
        return String(decoding: bytes, as: UTF8.self)
    }
}
