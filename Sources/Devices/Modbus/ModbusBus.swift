import Glibc
import Readings

/// What a bus tells of one of its units; called on the thread of the bus.
enum ModbusUnitReport: Sendable {
    /// The unit answered for the first time.
    case opened
    /// It does not answer, or its bus cannot be used. Nothing follows.
    case failed(DeviceError)
    /// A frame: where the response belongs, its length, the response.
    case received([UInt8])
    /// It is no longer asked; `released` follows.
    case closed(ConnectionEnd)
    case released
}

/// A serial line or a TCP connection that Modbus units share, with the one thread that talks on it.
///
/// The thread lives from the first unit to the last. It waits for nothing but the answer to one request, so it ends one response
/// time-out after the last unit has left.
final class ModbusBus: Sendable {
    let bus: ModbusUnit.Bus
    private let mailbox = ModbusMailbox()

    /// - Parameter predecessor: a bus on the same line that is about to close it.
    init(_ bus: ModbusUnit.Bus, after predecessor: ModbusBus?) {
        self.bus = bus
        let mailbox = mailbox
        let before = predecessor?.mailbox
        let started = startThread("modbus") {
            before?.waitUntilClosed()
            BusThread(bus, mailbox).run()
        }
        switch started {
        case .success(let thread): pthread_detach(thread)
        case .failure:
            _ = mailbox.endIfEmpty()
            mailbox.markClosed()
        }
    }

    /// Begins to ask a unit.
    /// - Returns: false when the bus has ended, or never had a thread.
    func attach(_ id: UInt64, _ unit: ModbusUnit, tell: @escaping @Sendable (ModbusUnitReport) -> Void) -> Bool {
        mailbox.post { $0.arrivals.append((id, unit, tell)) }
    }

    /// Ends the asking; `closed` and `released` follow, or `failed` when it had not answered yet.
    func detach(_ id: UInt64, reason: String) {
        mailbox.post { $0.departures.append((id, reason)) }
    }

    /// Sends a request before the next poll.
    func send(_ request: [UInt8], to id: UInt64) -> Bool {
        mailbox.post { $0.commands.append((id, request)) }
    }
}

/// The buses in use. Confined to the event loop of the supervisor that owns it.
final class ModbusBuses {
    private var buses: [ModbusUnit.Bus: ModbusBus] = [:]
    private var lastID: UInt64 = 0

    /// - Returns: the bus and the number of the unit on it; nil when no thread can be had.
    func attach(_ unit: ModbusUnit, tell: @escaping @Sendable (ModbusUnitReport) -> Void) -> (bus: ModbusBus, id: UInt64)? {
        lastID &+= 1
        let old = buses[unit.bus]
        if let old, old.attach(lastID, unit, tell: tell) { return (old, lastID) }
        let bus = ModbusBus(unit.bus, after: old)
        buses[unit.bus] = bus
        return bus.attach(lastID, unit, tell: tell) ? (bus, lastID) : nil
    }
}

/// What the thread of a bus does.
private final class BusThread {
    private let bus: ModbusUnit.Bus
    private let mailbox: ModbusMailbox
    private var schedule = ModbusSchedule()
    private var tell: [UInt64: @Sendable (ModbusUnitReport) -> Void] = [:]
    private var port: ModbusPort?

    init(_ bus: ModbusUnit.Bus, _ mailbox: ModbusMailbox) {
        self.bus = bus
        self.mailbox = mailbox
    }

    func run() {
        // The unit that the bus was made for may not have been put in yet.
        var wait: Instant.Span?
        while true {
            takeMail(mailbox.take(waiting: wait))
            wait = .zero
            if schedule.isEmpty {
                port = nil
                releaseAll()
                if mailbox.endIfEmpty() { return mailbox.markClosed() }
                continue
            }
            let now = BootClock.now()
            guard let job = schedule.next(at: now), let (unit, request) = schedule.request(of: job) else {
                wait = schedule.nextDue.map { max($0 - now, .zero) }
                continue
            }
            do throws(ModbusPort.Loss) {
                let port = try openPort()
                let result = try port.exchange(request, with: unit)
                carryOut(schedule.finished(job, result, at: BootClock.now()), for: job.unit)
            } catch {
                lose(error.error)
            }
        }
    }

    private func openPort() throws(ModbusPort.Loss) -> ModbusPort {
        if let port { return port }
        do throws(DeviceError) {
            let opened = try ModbusPort(bus)
            port = opened
            return opened
        } catch {
            throw ModbusPort.Loss(error: error)
        }
    }

    private func takeMail(_ mail: ModbusMailbox.Mail) {
        let now = BootClock.now()
        for arrival in mail.arrivals {
            tell[arrival.id] = arrival.tell
            schedule.add(arrival.id, arrival.unit, at: now)
        }
        for command in mail.commands { schedule.enqueue(command.request, for: command.id) }
        for departure in mail.departures {
            guard let unit = schedule.units[departure.id] else { continue }
            // What was sent just before the end, an output to be switched off, still goes out.
            if unit.isOpen { sendRest(of: departure.id) }
            schedule.remove(departure.id)
            end(departure.id, unit.isOpen ? nil : DeviceError(.cancel, path: unit.settings.path, detail: departure.reason)) {
                .requested(reason: departure.reason)
            }
        }
    }

    /// Sends what waits for a unit that is about to leave, as long as it answers.
    private func sendRest(of id: UInt64) {
        let job = ModbusSchedule.Job.command(unit: id)
        while let (unit, request) = schedule.request(of: job), let port {
            guard case .answer? = try? port.exchange(request, with: unit) else { return }
            _ = schedule.finished(job, .answer(request), at: BootClock.now())
        }
    }

    private func carryOut(_ reports: [ModbusSchedule.Report], for id: UInt64) {
        for report in reports {
            switch report {
            case .opened:
                opened.insert(id)
                tell[id]?(.opened)
            case .received(let frame): tell[id]?(.received(frame))
            case .ended(let detail):
                let error = DeviceError(.read, path: "\(bus)", detail: detail)
                end(id, opened.contains(id) ? nil : error) { .failed(error) }
            }
        }
    }

    /// Units that were told that they are open.
    private var opened: Set<UInt64> = []
    /// Units to be released as soon as the port allows.
    private var leaving: [@Sendable (ModbusUnitReport) -> Void] = []

    private func end(_ id: UInt64, _ failure: DeviceError?, _ end: () -> ConnectionEnd) {
        guard let tell = tell.removeValue(forKey: id) else { return }
        opened.remove(id)
        if let failure { return tell(.failed(failure)) }
        tell(.closed(end()))
        // The last one is free again when the line is closed.
        if schedule.isEmpty { leaving.append(tell) } else { tell(.released) }
    }

    private func releaseAll() {
        for tell in leaving { tell(.released) }
        leaving = []
    }

    /// Nobody on this bus can be reached: who opens a unit again opens the bus again.
    private func lose(_ error: DeviceError) {
        port = nil
        let units = schedule.units
        for id in units.keys.sorted() {
            schedule.remove(id)
            end(id, opened.contains(id) ? nil : error) { error.meansGone ? .gone : .failed(error) }
        }
    }
}
