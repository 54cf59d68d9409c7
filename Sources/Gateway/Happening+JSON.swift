import Control
import Engine
import Identifiers
import Ledger
import Presence
import Readings
import SiteConfiguration

extension Happening {
    /// The line that `stockgate watch` gets (`docs/api.yaml`, schema `Happening`).
    func json(site: Site, ledger: Ledger) -> JSON {
        switch self {
        case .reading(let device, let reading):
            var members = reading.json
            members["kind"] = "reading"
            members["device"] = .string(site.devices[Int(device.rawValue)].name)
            members["bearer"] = ledger.bearer(of: reading).map { ledger.described($0) }
            return .object(members)
        case .deviceState(let device, let state):
            return .compact([
                "kind": "device", "device": .string(site.devices[Int(device.rawValue)].name), "state": .string(state.word),
                "reason": state.reasonText.map(JSON.string),
            ])
        case .sighting(let station, let sighting):
            var members = sighting.json(station: station)
            members["kind"] = "sighting"
            members["bearer"] = ledger.bearer(of: sighting.epc).map { ledger.described($0) }
            return .object(members)
        case .stay(let station, let stay):
            var members = stay.json(station: station)
            members["kind"] = "sighting"
            members["bearer"] = ledger.bearer(of: stay.epc).map { ledger.described($0) }
            return .object(members)
        case .tested(let station, let plan):
            return [
                "kind": "test", "station": .string(station),
                "events": .array(
                    plan.events.map {
                        JSON.object(["type": .string($0.body.type), "data": $0.body.json, "actor": $0.actor.json, "evidence": $0.evidence])
                            .naming(ledger.name)
                    }),
            ]
        case .feedback(let station, let feedback):
            return ["kind": "feedback", "station": .string(station), "feedback": .string(feedback.rawValue)]
        }
    }
}

extension Reading {
    fileprivate var json: [String: JSON] {
        switch self {
        case .tag(let read): ["tag": read.json]
        case .late(let read): ["late": read.json]
        case .scan(let scan):
            [
                "scan": .compact([
                    "text": .string(String(decoding: scan.data.prefix(512), as: UTF8.self)),
                    "hex": .string(Hex.text(scan.data.prefix(512))), "aim": scan.symbology.map { .string($0.description) },
                ])
            ]
        case .badge(let badge): ["badge": .string(badge.credential)]
        case .input(let change): ["input": ["line": .integer(Int64(change.line)), "active": .bool(change.isActive)]]
        // The engine tells a change of state as such.
        case .state: [:]
        }
    }
}

extension DeviceState {
    var reasonText: String? {
        switch self {
        case .reading: nil
        case .silent(let reason), .absent(let reason): reason
        }
    }
}

extension Ledger {
    /// What a reading is of.
    fileprivate func bearer(of reading: Reading) -> Bearer? {
        switch reading {
        case .tag(let read), .late(let read): bearer(of: read.epc)
        case .scan(let scan): bearer(of: scan)?.bearer
        case .badge(let badge): master.credentials[badge.credential].map(Bearer.person)
        case .input, .state: nil
        }
    }

    /// The name of a thing or person in the master data.
    func name(_ bearer: Bearer) -> String? {
        switch bearer {
        case .item(let key): master.items[key]?.name
        case .person(let key): master.people[key]?.name
        case .product(let key): master.products[key]?.name
        case .location(let key): master.locations[key]?.name
        }
    }

    /// A thing or person with its name, for people.
    func described(_ bearer: Bearer) -> JSON {
        var members = bearer.json.object ?? [:]
        members["name"] = name(bearer).map(JSON.string)
        return .object(members)
    }
}
