import CNIOLinux
import Glibc
import SiteConfiguration
import Upstream

/// What the network filter of the systemd unit lets through, and what a site needs beyond that.
public enum ServiceNetwork {
    /// `IPAddressAllow=` of systemd/stockgated.service; a test compares them.
    static let allowed = ["localhost", "10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "fd00::/8"]

    /// One thing of a site that the unit's filter keeps the daemon from.
    public struct Need: Hashable, Sendable {
        /// `destination epcis`, `device gate`, `name server`.
        public var what: String
        /// As the site file names it.
        public var host: String
        /// What the host's name stands for now; empty: it could not be found out.
        public var addresses: [String]

        public init(what: String, host: String, addresses: [String]) {
            self.what = what
            self.host = host
            self.addresses = addresses
        }
    }

    /// Where the drop-in belongs.
    public static let dropInPath = "/etc/systemd/system/stockgated.service.d/network.conf"

    /// Everything outside of the allowed ranges that a site calls. Names are looked up, which may take the resolver's time-outs.
    public static func needs(of site: Site) -> [Need] {
        needs(of: site, resolve: addresses(of:), nameServers: nameServers())
    }

    static func needs(of site: Site, resolve: (String) -> [String], nameServers: [String]) -> [Need] {
        let called: [(what: String, host: String)] =
            site.destinations.flatMap { destination in hosts(of: destination).map { ("destination \(destination.name)", $0) } }
            + site.sources.compactMap { source in
                self.host(of: source).map { ("source \(source.name)", $0) }
            }
            + site.devices.compactMap { device in
                // The filter looks at the other end's address, which nobody knows of a device that calls.
                guard let network = device.network, !network.listens else { return nil }
                return ("device \(device.name)", network.host)
            }
        var result: [Need] = []
        for (what, host) in called {
            let found = isAddress(host) ? [host] : resolve(host)
            let outside = found.filter { !isAllowed($0) }
            if found.isEmpty || !outside.isEmpty { result.append(Need(what: what, host: host, addresses: outside)) }
        }
        // A name must be looked up by the daemon too, by a server that it must be able to ask.
        if called.contains(where: { !isAddress($0.host) && $0.host != "localhost" }) {
            result += nameServers.filter { !isAllowed($0) }.map { Need(what: "name server", host: $0, addresses: [$0]) }
        }
        return result
    }

    /// The lines of the drop-in; hosts without an address become a comment.
    public static func dropIn(_ needs: [Need]) -> [String] {
        ["[Service]"]
            + needs.flatMap { need in
                need.addresses.isEmpty
                    ? ["# \(need.what): \(need.host) has no address now"]
                    : ["# \(need.what): \(need.host)", "IPAddressAllow=\(need.addresses.joined(separator: " "))"]
            }
    }

    static func isAllowed(_ address: String) -> Bool {
        guard let bytes = bytes(of: address) else { return false }
        return allowed.flatMap { $0 == "localhost" ? ["127.0.0.0/8", "::1/128"] : [$0] }.contains { range in
            let parts = range.split(separator: "/")
            guard let network = Self.bytes(of: String(parts[0])), let length = Int(parts[1]), network.count == bytes.count else {
                return false
            }
            return (0..<length).allSatisfy { bit in
                let mask = UInt8(0x80) >> UInt8(bit % 8)
                return network[bit / 8] & mask == bytes[bit / 8] & mask
            }
        }
    }

    /// Where the daemon connects for a destination: to its proxy, where it has one.
    private static func hosts(of destination: Site.Destination) -> [String] {
        switch destination.kind {
        case .file: return []
        case .epcis(let epcis): return [host(ofURL: epcis.proxy ?? epcis.url)].compactMap { $0 }
        case .webhook(let webhook): return [host(ofURL: webhook.proxy ?? webhook.url)].compactMap { $0 }
        case .mqtt(let mqtt): return [mqtt.host]
        case .mail(let mail): return [mail.host]
        case .postgresql(let postgresql):
            let parameters = try? PostgreSQLParameters(postgresql.connection)
            return (parameters?.addresses ?? []).filter { !$0.hasPrefix("/") && !$0.hasPrefix("@") }
        }
    }

    private static func host(of source: Site.Source) -> String? {
        switch source.kind {
        case .folder: nil
        case .pull(let pull): host(ofURL: pull.proxy ?? pull.url)
        case .mqtt(let broker): broker.host
        }
    }

    static func host(ofURL url: String) -> String? {
        guard let start = url.firstRange(of: "://")?.upperBound else { return nil }
        let authority = url[start...].prefix { !"/?#".contains($0) }
        let place = authority.lastIndex(of: "@").map { authority[authority.index(after: $0)...] } ?? authority
        return hostAndPort(String(place))?.host
    }

    private static func bytes(of address: String) -> [UInt8]? {
        var buffer = [UInt8](repeating: 0, count: 16)
        if inet_pton(AF_INET, address, &buffer) == 1 { return Array(buffer.prefix(4)) }
        return inet_pton(AF_INET6, address, &buffer) == 1 ? buffer : nil
    }

    private static func addresses(of host: String) -> [String] {
        var list: UnsafeMutablePointer<addrinfo>?
        guard getaddrinfo(host, nil, nil, &list) == 0 else { return [] }
        defer { freeaddrinfo(list) }
        var result: [String] = []
        var next = list
        while let entry = next {
            var text = [CChar](repeating: 0, count: Int(NI_MAXHOST))
            if getnameinfo(entry.pointee.ai_addr, entry.pointee.ai_addrlen, &text, socklen_t(text.count), nil, 0, NI_NUMERICHOST) == 0 {
                let address = String(decoding: text.prefix { $0 != 0 }.map { UInt8(bitPattern: $0) }, as: UTF8.self)
                if !result.contains(address) { result.append(address) }
            }
            next = entry.pointee.ai_next
        }
        return result.sorted()
    }

    /// resolv.conf(5)
    private static func nameServers() -> [String] {
        (SiteFile.contents(of: "/etc/resolv.conf") ?? "").split(separator: "\n").compactMap { line in
            let words = line.split(whereSeparator: { $0 == " " || $0 == "\t" })
            return words.count > 1 && words[0] == "nameserver" ? String(words[1]) : nil
        }
    }
}
