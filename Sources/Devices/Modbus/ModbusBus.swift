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
/// The thread lives from the first unit to the last. It waits for nothing but the answer to one request, and for a connection only as long
/// as no unit leaves; names are looked up on a thread of their own. So it ends one response time-out after the last unit has left, and
/// half a second later at most when outputs must still be switched off.
final class ModbusBus: Sendable {
    let bus: ModbusUnit.Bus
    private let mailbox = ModbusMailbox()

    /// - Parameter predecessor: a bus on the same line that is about to close it.
    init(_ bus: ModbusUnit.Bus, after predecessor: ModbusBus?, lookUp: @escaping ModbusAddress.Lookup) {
        self.bus = bus
        let mailbox = mailbox
        let before = predecessor?.mailbox
        let started = startThread("modbus") {
            before?.waitUntilClosed()
            BusThread(bus, mailbox, lookUp).run()
        }
        switch started {
        case .success(let thread): pthread_detach(thread)
        case .failure:
            _ = mailbox.endIfEmpty()
            mailbox.markClosed()
        }
    }

    /// Its last unit has left, and its port is closed.
    var hasClosed: Bool { mailbox.hasClosed }

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
    /// By the name of the kernel. Those that have ended are forgotten when the next unit comes.
    private(set) var buses: [ModbusUnit.Bus: ModbusBus] = [:]
    private var lastID: UInt64 = 0
    private let lookUp: ModbusAddress.Lookup

    init(lookUp: @escaping ModbusAddress.Lookup = ModbusAddress.lookUp) {
        self.lookUp = lookUp
    }

    /// - Returns: the bus and the number of the unit on it; nil when no thread can be had.
    func attach(_ unit: ModbusUnit, tell: @escaping @Sendable (ModbusUnitReport) -> Void) -> (bus: ModbusBus, id: UInt64)? {
        lastID &+= 1
        buses = buses.filter { !$0.value.hasClosed }
        let key = unit.bus.resolved
        let old = buses[key]
        if let old, old.attach(lastID, unit, tell: tell) { return (old, lastID) }
        let bus = ModbusBus(unit.bus, after: old, lookUp: lookUp)
        buses[key] = bus
        return bus.attach(lastID, unit, tell: tell) ? (bus, lastID) : nil
    }
}

/// What the thread of a bus does.
private final class BusThread {
    /// How long to wait for each address of a TCP connection.
    static let connectLimit = Instant.Span.seconds(1)
    /// How long a connection that was closed after a request without an answer may take to come back: many gateways accept only one,
    /// and notice late that it is gone. The other units are merely overdue meanwhile.
    static let reconnectLimit = Instant.Span.seconds(2)
    static let reconnectPause = Instant.Span.milliseconds(50)
    /// How long somebody may take to say where a name is.
    static let lookupLimit = Instant.Span.seconds(5)
    /// How long what was sent just before the end may be sent again.
    static let restLimit = Instant.Span.milliseconds(500)

    private let bus: ModbusUnit.Bus
    private let mailbox: ModbusMailbox
    private let lookUp: ModbusAddress.Lookup
    private var schedule = ModbusSchedule()
    private var tell: [UInt64: @Sendable (ModbusUnitReport) -> Void] = [:]
    private var port: ModbusPort?
    /// The addresses of a TCP bus; empty until they are known.
    private var addresses: [ModbusAddress] = []
    private var isLookingUp = false
    private var lookupFailure: DeviceError?
    private var lookupDeadline: Instant?
    /// The connection was closed after a request without an answer: the next attempt to have one may take `reconnectLimit`.
    private var mayReconnect = false
    /// Until when that attempt may take; nil until it begins, which may be long after the end of the connection.
    private var grace: Instant?
    /// How long to wait for mail before a port is asked for again.
    private var pause = Instant.Span.zero

    init(_ bus: ModbusUnit.Bus, _ mailbox: ModbusMailbox, _ lookUp: @escaping ModbusAddress.Lookup) {
        self.bus = bus
        self.mailbox = mailbox
        self.lookUp = lookUp
    }

    func run() {
        // The unit that the bus was made for may not have been put in yet.
        var wait: Instant.Span?
        while true {
            takeMail(mailbox.take(waiting: wait))
            wait = .zero
            if schedule.isEmpty {
                (port, addresses, mayReconnect, grace, lookupDeadline) = (nil, [], false, nil, nil)
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
                guard let port = try openPort(at: now) else {
                    wait = pause
                    continue
                }
                let result = try port.exchange(request, with: unit)
                if case .answer = result { (mayReconnect, grace) = (false, nil) }
                if !port.isOpen {
                    self.port = nil
                    (mayReconnect, grace) = (true, nil)
                }
                carryOut(schedule.finished(job, result, at: BootClock.now()), for: job.unit)
            } catch {
                port = nil
                // A gateway that has no place yet for the new connection may also accept it and hang up.
                if let grace, BootClock.now() < grace { wait = Self.reconnectPause } else { lose(error.error) }
            }
        }
    }

    // MARK: The port

    /// - Returns: nil when there is none yet: to be asked again after `pause`.
    private func openPort(at now: Instant) throws(ModbusPort.Loss) -> ModbusPort? {
        if let port { return port }
        if mayReconnect, grace == nil { grace = now + Self.reconnectLimit }
        do throws(DeviceError) {
            switch bus {
            case .serial(let path, let line): port = try ModbusPort(serial: path, line)
            case .tcp(let host, let number):
                guard try findAddresses(host, number, at: now) else { return nil }
                port = try connect(until: grace ?? now + .seconds(10)) { !self.mailbox.hasDepartures }
            }
            return port
        } catch {
            if error.operation == .cancel {
                // Somebody leaves: that comes first.
                pause = .zero
                return nil
            }
            guard let grace, BootClock.now() < grace else { throw ModbusPort.Loss(error: error) }
            pause = Self.reconnectPause
            return nil
        }
    }

    private func connect(until deadline: Instant, isWanted: () -> Bool) throws(DeviceError) -> ModbusPort {
        let socket = try ModbusAddress.connect(
            addresses, path: "\(bus)", limit: Self.connectLimit, until: deadline, isWanted: isWanted)
        return try ModbusPort(bus, socket: socket)
    }

    /// - Returns: false while somebody is asked.
    private func findAddresses(_ host: String, _ number: UInt16, at now: Instant) throws(DeviceError) -> Bool {
        if addresses.isEmpty, let numeric = ModbusAddress.numeric(host, number) { addresses = numeric }
        guard addresses.isEmpty else {
            lookupDeadline = nil
            return true
        }
        if let failure = lookupFailure {
            (lookupFailure, lookupDeadline) = (nil, nil)
            throw failure
        }
        if !isLookingUp {
            let (mailbox, lookUp) = (mailbox, lookUp)
            // An answer that comes when the bus has ended is for nobody.
            let started = startThread("modbus-name") {
                let found = lookUp(host, number)
                mailbox.post { $0.lookup = found }
            }
            guard case .success(let thread) = started else {
                throw DeviceError(.resolve, path: "\(bus)", detail: "no thread can be had")
            }
            pthread_detach(thread)
            isLookingUp = true
        }
        let deadline = lookupDeadline ?? now + Self.lookupLimit
        lookupDeadline = deadline
        guard now < deadline else {
            lookupDeadline = nil
            throw DeviceError(.resolve, path: "\(bus)", detail: "nobody said in time where \(host) is")
        }
        pause = deadline - now
        return false
    }

    // MARK: Mail

    private func takeMail(_ mail: ModbusMailbox.Mail) {
        let now = BootClock.now()
        for arrival in mail.arrivals {
            tell[arrival.id] = arrival.tell
            schedule.add(arrival.id, arrival.unit, at: now)
        }
        for command in mail.commands { schedule.enqueue(command.request, for: command.id) }
        if let lookup = mail.lookup {
            isLookingUp = false
            switch lookup {
            case .success(let found): addresses = found
            case .failure(let error): lookupFailure = error
            }
        }
        for (place, departure) in mail.departures.enumerated() {
            guard let unit = schedule.units[departure.id] else { continue }
            // What was sent just before the end, an output to be switched off, still goes out. One that does not answer leaves those
            // after it their share of the time.
            let share = Self.restLimit.nanoseconds / Int64(mail.departures.count) * Int64(place + 1)
            if unit.isOpen { sendRest(of: departure.id, until: now + Instant.Span(nanoseconds: share)) }
            schedule.remove(departure.id)
            end(departure.id, unit.isOpen ? nil : DeviceError(.cancel, path: unit.settings.path, detail: departure.reason)) {
                .requested(reason: departure.reason)
            }
        }
    }

    /// Sends what waits for a unit that is about to leave, again and again until it is answered or the time is over.
    private func sendRest(of id: UInt64, until deadline: Instant) {
        let job = ModbusSchedule.Job.command(unit: id)
        while let (settings, request) = schedule.request(of: job), let port = portAgain(until: deadline) {
            let left = deadline - BootClock.now()
            guard left > .zero else { return }
            var unit = settings
            unit.responseTimeout = min(unit.responseTimeout, max(left, .milliseconds(1)))
            let result = try? port.exchange(request, with: unit)
            if result == nil || !port.isOpen { self.port = nil }
            if case .answer(let response)? = result, !ModbusSchedule.isGatewaySilence(response) {
                _ = schedule.finished(job, .answer(request), at: BootClock.now())
            }
        }
    }

    /// The port, or a connection in place of one that was closed.
    private func portAgain(until deadline: Instant) -> ModbusPort? {
        while port == nil, !addresses.isEmpty, BootClock.now() < deadline {
            port = try? connect(until: deadline) { true }
            if port == nil { _ = poll(nil, 0, Int32(clamping: Self.reconnectPause.milliseconds)) }
        }
        return port
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
        // The name may mean another address the next time.
        (port, addresses, mayReconnect, grace) = (nil, [], false, nil)
        let units = schedule.units
        for id in units.keys.sorted() {
            schedule.remove(id)
            end(id, opened.contains(id) ? nil : error) { error.meansGone ? .gone : .failed(error) }
        }
    }
}
