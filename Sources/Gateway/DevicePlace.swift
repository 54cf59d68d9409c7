import Devices
import Glibc

/// Where a device with a port or an address is, to find devices that are in each other's way.
enum DevicePlace {
    case network(TCPEndpoint)
    /// Where Modbus units share a connection.
    case networkBus(host: String, port: UInt16)
    /// A node for one device alone.
    case node(path: String, resolved: String)
    /// A serial line that Modbus units share; `ModbusSiteCheck` looks whether they agree.
    case bus(path: String, resolved: String)

    /// nil where udev finds the device.
    init?(_ transport: DeviceTransport, port: String?) {
        switch (transport, port) {
        case (.tcp(let endpoint), _): self = .network(endpoint)
        case (.modbus(let unit), _):
            switch unit.bus {
            case .tcp(let host, let port): self = .networkBus(host: host, port: port)
            case .serial(let path, _): self = .bus(path: path, resolved: Self.resolved(path))
            }
        case (_, let port?): self = .node(path: port, resolved: Self.resolved(port))
        case (_, nil): return nil
        }
    }

    /// Whether only one of the two can be there.
    func excludes(_ other: DevicePlace) -> Bool {
        switch (self, other) {
        case (.network(let one), .network(let other)) where one.listens && other.listens:
            one.port == other.port && Self.overlap(one.host, other.host)
        case (.network(let one), .network(let other)): one.path == other.path
        case (.node(_, let one), .node(_, let other)), (.node(_, let one), .bus(_, let other)), (.bus(_, let one), .node(_, let other)):
            one == other
        case (.network(let device), .networkBus(let host, let port)), (.networkBus(let host, let port), .network(let device)):
            !device.listens && device.port == port && device.host == host
        case (.bus, .bus), (.networkBus, _), (_, .networkBus), (.network, _), (_, .network): false
        }
    }

    /// The key of the site file that says it.
    var key: String {
        switch self {
        case .network(let endpoint): endpoint.listens ? "listen" : "address"
        case .networkBus: "address"
        case .node, .bus: "port"
        }
    }

    var words: String {
        switch self {
        case .network(let endpoint): "\(endpoint.host) port \(endpoint.port)"
        case .networkBus(let host, let port): "\(host) port \(port)"
        case .node(let path, _), .bus(let path, _): path
        }
    }

    /// The node behind symbolic links; the path itself where there is none yet.
    private static func resolved(_ path: String) -> String {
        guard let real = realpath(path, nil) else { return path }
        defer { free(real) }
        return String(cString: real)
    }

    /// Whether two addresses to listen on cannot both be taken. The one of all IPv6 addresses takes those of IPv4 with it on Linux.
    private static func overlap(_ one: String, _ other: String) -> Bool {
        guard let one = numbers(one), let other = numbers(other) else { return one == other }
        let (isAll, isOtherAll) = (one.allSatisfy { $0 == 0 }, other.allSatisfy { $0 == 0 })
        return one == other || isAll && one.count >= other.count || isOtherAll && other.count >= one.count
    }

    /// The 4 or 16 bytes of an IP address; nil for anything else. An IPv4 address written as one of IPv6 (`::ffff:10.0.0.1`) has 4.
    private static func numbers(_ text: String) -> [UInt8]? {
        var address = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, text, &address) == 1 { return Array(address.prefix(4)) }
        guard inet_pton(AF_INET6, text, &address) == 1 else { return nil }
        return address.starts(with: [0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0xFF, 0xFF]) ? Array(address.suffix(4)) : address
    }
}
