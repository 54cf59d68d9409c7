import Decoding
import Devices
import Foundation
import NIOCore
import NIOPosix
import Readings
import Testing

/// A supervisor with Modbus units as its devices; what they give is decoded and can be awaited.
final class ModbusHarness: Sendable {
    static let loop = MultiThreadedEventLoopGroup.singleton.next()

    enum Event: Hashable, Sendable {
        case opened(String)
        case closed(String, reason: String)
        case input(String, line: UInt8, isActive: Bool)
        case badge(String, String)
        case answer(String, [UInt8])
        case fault(String, String)
        case failing(String, String)
        case alive(String)
    }

    struct Entry: Sendable {
        var event: Event
        var time: Instant
    }

    /// Confined to the loop.
    private final class Recorder: DeviceSupervisorDelegate {
        let names: [String]
        let tell: AsyncStream<Entry>.Continuation
        let configurations: [ModbusProtocol.Configuration]
        var decoders: [ModbusProtocol]
        var batch = DecodedBatch()

        init(_ names: [String], _ configurations: [ModbusProtocol.Configuration], _ tell: AsyncStream<Entry>.Continuation) {
            self.names = names
            self.tell = tell
            self.configurations = configurations
            decoders = configurations.map(ModbusProtocol.init)
        }

        private func yield(_ event: Event) { tell.yield(Entry(event: event, time: BootClock.now())) }

        func supervisor(_ supervisor: DeviceSupervisor, opened device: DeviceIndex, as match: DeviceMatch, path: String, at now: Instant) {
            decoders[Int(device.rawValue)].reset()
            yield(.opened(names[Int(device.rawValue)]))
        }
        func supervisor(_ supervisor: DeviceSupervisor, closed device: DeviceIndex, reason: String, at now: Instant) {
            yield(.closed(names[Int(device.rawValue)], reason: reason))
        }
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, received bytes: UnsafeRawBufferPointer, at now: Instant) {
            let index = Int(device.rawValue)
            batch.removeAll()
            decoders[index].decode(bytes, at: now, into: &batch)
            #expect(batch.rejects.total == 0)
            for reading in batch.readings {
                switch reading {
                case .input(let change): yield(.input(names[index], line: change.line, isActive: change.isActive))
                case .badge(let badge): yield(.badge(names[index], badge.credential))
                default: Issue.record("unexpected reading \(reading)")
                }
            }
            for signal in batch.signals {
                switch signal {
                case .answer(let bytes): yield(.answer(names[index], bytes))
                case .fault(_, let meaning, _): yield(.fault(names[index], meaning))
                case .alive: yield(.alive(names[index]))
                case .reply(let bytes): supervisor.write(bytes, to: device)
                default: break
                }
            }
        }
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, key code: UInt16, value: Int32, at now: Instant) {}
        func supervisor(_ supervisor: DeviceSupervisor, overran device: DeviceIndex, at now: Instant) {}
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, droppedWrite count: Int) {}
        func supervisor(_ supervisor: DeviceSupervisor, device: DeviceIndex, is status: DeviceStatus) {
            if status.state == .backingOff, let error = status.lastError { yield(.failing(status.name, error)) }
        }
    }

    private struct Bound {
        let supervisor: DeviceSupervisor
        let recorder: Recorder
    }

    private let bound: NIOLoopBound<Bound>
    let names: [String]
    let log: EventLog

    /// Units on one bus, by name.
    init(
        _ bus: ModbusUnit.Bus, _ units: [(name: String, unit: UInt8)], _ configuration: ModbusProtocol.Configuration
    ) async throws {
        let (stream, tell) = AsyncStream.makeStream(of: Entry.self)
        log = EventLog(stream)
        names = units.map(\.name)
        let devices = units.map { unit in
            let settings = ModbusUnit(
                bus: bus, unit: unit.unit, polls: configuration.requests, interval: configuration.interval,
                responseTimeout: configuration.responseTimeout)
            return SupervisedDevice(
                name: unit.name, revision: "0", source: .port(settings.path, DeviceMatch(profile: "test", transport: .modbus(settings))))
        }
        bound = try await Self.loop.submit { [names] in
            let supervisor = DeviceSupervisor(loop: Self.loop, devices: devices)
            let recorder = Recorder(names, devices.map { _ in configuration }, tell)
            supervisor.delegate = recorder
            supervisor.start()
            return NIOLoopBound(Bound(supervisor: supervisor, recorder: recorder), eventLoop: Self.loop)
        }.get()
    }

    @discardableResult
    func write(_ request: [UInt8], to name: String) async throws -> Bool {
        let index = try #require(names.firstIndex(of: name))
        return try await Self.loop.submit { self.bound.value.supervisor.write(request, to: DeviceIndex(UInt16(index))) }.get()
    }

    /// How long the shutdown took.
    @discardableResult
    func stop() async throws -> Instant.Span {
        let start = BootClock.now()
        try await Self.loop.flatSubmit { self.bound.value.supervisor.shutdown() }.get()
        return BootClock.now() - start
    }
}

/// Events in their order, awaited one after the other; never looked at twice.
actor EventLog {
    private var iterator: AsyncStream<ModbusHarness.Entry>.Iterator
    private(set) var passed: [ModbusHarness.Entry] = []

    init(_ stream: AsyncStream<ModbusHarness.Entry>) {
        iterator = stream.makeAsyncIterator()
    }

    /// The next event that the closure accepts; those before it are passed over and kept in `passed`.
    @discardableResult
    func next(_ accept: @Sendable (ModbusHarness.Event) -> Bool) async throws -> ModbusHarness.Entry {
        while true {
            var copy = iterator
            let entry = await copy.next(isolation: self)
            iterator = copy
            let found = try #require(entry)
            passed.append(found)
            if accept(found.event) { return found }
        }
    }

    @discardableResult
    func next(_ event: ModbusHarness.Event) async throws -> ModbusHarness.Entry { try await next { $0 == event } }

    /// What was passed over since the last call.
    func takePassed() -> [ModbusHarness.Entry] {
        defer { passed = [] }
        return passed
    }
}

extension ModbusProtocol.Configuration {
    /// Eight inputs.
    static func inputs(_ count: Int = 8, interval: Instant.Span = .milliseconds(10), timeout: Instant.Span = .milliseconds(200))
        -> ModbusProtocol.Configuration
    {
        .init(
            polls: [.init(.discreteInputs, start: 0, count: count, meaning: .inputs(firstLine: 0))], interval: interval,
            responseTimeout: timeout)
    }
}
