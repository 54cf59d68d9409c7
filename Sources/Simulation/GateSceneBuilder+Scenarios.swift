import Identifiers
import Readings

extension GateSceneBuilder {
    mutating func build() {
        switch scenario {
        case .pass: through(tools: random.integer(1...8), from: 0.5)
        case .blocked: through(tools: random.integer(1...8), from: 0.5, extraLoss: 2...4.5, heavy: true)
        case .crowd: crowd()
        case .opposite: opposite()
        case .restart: restart()
        case .uturn: uturn()
        case .loiter: loiter()
        case .near: near()
        case .stray: stray()
        case .day: day()
        case .cart: cart()
        case .clock: clock()
        case .late: late()
        }
    }

    private mutating func anyDirection() -> Direction { random.chance(0.5) ? .out : .in }

    /// One person goes through; returns when.
    @discardableResult
    mutating func through(
        tools count: Int, from start: Double, direction: Direction? = nil, tools given: [EPC] = [], y: Double? = nil, speed: Double? = nil,
        extraLoss: ClosedRange<Double>? = nil, heavy: Bool = false, badge: Bool = true
    ) -> Double {
        let direction = direction ?? anyDirection()
        let sign = direction == .out ? 1.0 : -1.0
        var path = PathBuilder(
            at: start, x: -sign * Self.farAway, y: y ?? laneY(), speed: speed ?? walkingSpeed(), heading: direction == .out ? 0 : 0.5)
        let time = path.pass(toX: sign * Self.farAway)
        let person = person(path: path, heavy: heavy, badge: badge)
        hold(badgeOf: person.id, before: time)
        let tools = given + (0..<count).map { _ in newTool(side: direction.side.opposite) }
        var crossings: [EPC: Int] = [:]
        for epc in tools { crossings[epc] = addCrossing(epc, direction, at: time, person: person.id) }
        give(tools, to: person.walker, extraLoss: extraLoss) { crossings[$0] }
        end(at: path.seconds + Self.tail)
        return time
    }

    private mutating func crowd() {
        let (direction, speed) = (anyDirection(), walkingSpeed())
        through(tools: random.integer(1...8), from: 0.5, direction: direction, speed: speed)
        // Behind in the same lane, at nearly the same pace.
        let follower = min(max(speed + random.normal(0, 0.05), 0.6), 2.2)
        let delay = random.uniform(0.4...0.9)
        let time = 0.5 + Self.farAway / speed + delay
        through(tools: 0, from: time - Self.farAway / follower, direction: direction, speed: follower)
    }

    private mutating func opposite() {
        let direction = anyDirection()
        let (first, second) = (walkingSpeed(), walkingSpeed())
        // They meet within half a second of the middle, and make room for one another.
        let meeting = 12.5 + random.uniform(-0.5...0.5)
        let (right, left) = (random.uniform(0.5...0.75), random.uniform(1.25...1.5))
        through(
            tools: random.integer(1...4), from: 12.5 - Self.farAway / first, direction: direction, y: direction == .out ? right : left,
            speed: first)
        through(
            tools: random.integer(1...4), from: meeting - Self.farAway / second, direction: direction == .out ? .in : .out,
            y: direction == .out ? left : right, speed: second)
    }

    private mutating func restart() {
        let time = through(tools: random.integer(1...8), from: 0.5)
        let length = random.uniform(0.5...1.5)
        silence(from: time + random.uniform(-0.5...0.5) - length / 2, for: length)
    }

    // MARK: Nobody goes through

    /// Somebody comes from one side, does what `stay` says near the gate, and goes back there.
    private mutating func visit(_ what: Truth.Visit.What, stay: (inout PathBuilder, inout SplitMix64, _ sign: Double) -> Void) {
        let home: GateSide = random.chance(0.5) ? .inside : .outside
        let sign = home == .inside ? -1.0 : 1.0
        let towards = home == .inside ? 0.0 : 0.5
        var path = PathBuilder(at: 0.5, x: sign * Self.farAway, y: laneY(), speed: walkingSpeed(), heading: towards)
        stay(&path, &random, sign)
        path.stay(for: random.uniform(0.4...1.0), turningTo: towards + 0.5)
        path.go(toX: sign * Self.farAway)
        let person = person(path: path)
        let tools = (0..<random.integer(1...8)).map { _ in newTool(side: home) }
        give(tools, to: person.walker) { _ in nil }
        for epc in tools { addVisit(epc, what, from: 0.5, to: path.seconds) }
        end(at: path.seconds + Self.tail)
    }

    private mutating func uturn() {
        visit(.uturn) { path, random, sign in path.go(toX: -sign * random.uniform(0.15...0.9)) }
    }

    private mutating func loiter() {
        visit(.loiter) { path, random, sign in
            path.go(toX: sign * random.uniform(0.1...1))
            let end = path.seconds + random.uniform(4...25)
            // Small steps to and fro, looking here and there.
            while path.seconds < end {
                path.stay(for: min(random.uniform(0.5...3), end - path.seconds), turningTo: random.uniform(-0.5...0.5))
                path.go(toX: sign * random.uniform(0.1...1), y: min(max(random.normal(1, 0.2), 0.5), 1.5), factor: 0.3)
            }
        }
    }

    private mutating func near() {
        visit(.near) { path, random, sign in
            path.go(toX: sign * random.uniform(1.2...2.2))
            path.stay(for: random.uniform(2...20), turningTo: random.uniform(-0.5...0.5))
        }
    }

    // MARK: Things that lie

    /// Tags that nobody touches, 75 % of them in the store.
    mutating func lieAbout(_ count: Int) -> [EPC] {
        (0..<count).map { _ in
            let isInside = random.chance(0.75)
            // Somewhere on a half circle around the middle of the gate.
            let distance = random.uniform(0.9...4.5)
            let wave = Radio.wave(turns: random.uniform(-0.25...0.25))
            let epc = newTool(side: isInside ? .inside : .outside)
            place(
                epc,
                .lying(
                    x: (isInside ? -1 : 1) * max(distance * wave.cos, 0.3), y: 1 + distance * wave.sin, z: random.uniform(0.3...1.8)),
                material: material())
            return epc
        }
    }

    /// Somebody without tags or badge: half of them through the gate, half past it.
    mutating func passer(at start: Double) {
        if random.chance(0.5) {
            through(tools: 0, from: start, badge: false)
        } else {
            let x = random.uniform(1.2...3.5) * (random.chance(0.5) ? 1 : -1)
            let upwards = random.chance(0.5)
            var path = PathBuilder(at: start, x: x, y: upwards ? -5 : 7, speed: walkingSpeed(), heading: upwards ? 0.25 : 0.75)
            path.go(toX: x, y: upwards ? 7 : -5)
            _ = person(path: path, badge: false)
        }
    }

    private mutating func stray() {
        let tags = lieAbout(12)
        var time = random.exponential(mean: 8)
        while time < 112 {
            passer(at: time)
            time += random.exponential(mean: 16)
        }
        truth.duration = .seconds(120)
        for epc in tags { addVisit(epc, .stray, from: 0, to: 120) }
    }

    private mutating func day() {
        let length = 86_400.0
        let strays = lieAbout(100)
        for epc in strays { addVisit(epc, .stray, from: 0, to: length) }
        // Work is done from 6 to 20 o'clock; what goes out comes back.
        let walks = (0..<200).map { _ in random.uniform(21_600...72_000) }.sorted()
        var away: [[EPC]] = []
        for (number, start) in walks.enumerated() {
            let comesBack = !away.isEmpty && (away.count > 20 || number >= 200 - away.count || random.chance(0.5))
            if comesBack {
                through(tools: 0, from: start, direction: .in, tools: away.remove(at: random.integer(0...(away.count - 1))))
            } else {
                let tools = (0..<random.integer(1...8)).map { _ in newTool(side: .inside) }
                through(tools: 0, from: start, direction: .out, tools: tools)
                away.append(tools)
            }
        }
        for _ in 0..<300 { passer(at: random.uniform(18_000...75_600)) }
        truth.duration = .seconds(86_400)
    }

    private mutating func cart() {
        let direction = anyDirection()
        let sign = direction == .out ? 1.0 : -1.0
        let speed = random.uniform(0.5...2)
        var path = PathBuilder(at: 0.5, x: -sign * Self.farAway, y: laneY(), speed: speed, heading: direction == .out ? 0 : 0.5)
        let time = path.pass(toX: sign * Self.farAway)
        let person = person(path: path)
        hold(badgeOf: person.id, before: time)
        for _ in 0..<random.integer(20...120) {
            let epc = newTool(side: direction.side.opposite)
            // The load is 0.8 m long, 0.5 m wide, and before the one who pushes.
            let place = Walker.Place(
                forward: random.uniform(0.5...1.3), left: random.uniform(-0.25...0.25), up: random.uniform(0.2...1.4))
            // The frame costs 6 dB there and back.
            self.place(
                epc, .carried(by: person.walker, at: place), material: material() + 3, during: walkers[person.walker],
                crossing: addCrossing(epc, direction, at: time, person: person.id))
        }
        let pallet = (x: random.uniform(1.5...4) * (random.chance(0.5) ? 1 : -1), y: random.uniform(-1...3))
        for _ in 0..<random.integer(10...30) {
            let epc = newTool(side: pallet.x < 0 ? .inside : .outside)
            place(
                epc,
                .lying(
                    x: pallet.x + random.uniform(-0.4...0.4), y: pallet.y + random.uniform(-0.6...0.6), z: random.uniform(0.2...1.6)),
                material: material())
            addVisit(epc, .stray, from: 0, to: path.seconds + Self.tail)
        }
        end(at: path.seconds + Self.tail)
    }

    /// Ten walks, 25 to 40 s apart.
    private mutating func tenWalks() {
        var start = 0.5
        for _ in 0..<10 {
            through(tools: random.integer(1...4), from: start)
            start += random.uniform(25...40)
        }
    }

    private mutating func clock() {
        tenWalks()
        let length = Double(truth.duration.nanoseconds) / 1e9
        // Once each, at any moment: also in the middle of a walk.
        let steps: [Instant.Span?] = [.seconds(1), .seconds(-1), .seconds(3_600), .seconds(-3_600), nil]
        reports = ReportLayer(
            batching: .milliseconds(100), delay: .milliseconds(20), clockOffset: .milliseconds(random.chance(0.5) ? 400 : -400), drift: 50,
            steps: steps.map { step in
                ReportLayer.ClockStep(time: Instant(nanoseconds: Int64(random.uniform(1...(length - 10)) * 1e9)), by: step)
            })
    }

    private mutating func late() {
        tenWalks()
        // Late reports come up to 30 s after the last walk.
        end(at: Double(truth.duration.nanoseconds) / 1e9 + 30)
        reports = ReportLayer(
            batching: .milliseconds(100), delay: .milliseconds(20), lateShare: 0.05, lateness: 0.5...30, drift: 50, breaksPerHour: 60)
    }
}
