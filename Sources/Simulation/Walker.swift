import Presence
import Readings

/// A person on the way through the scene: a vertical axis that takes power from rays that pass near it, and that carries tags.
struct Walker {
    /// Where the person is at one time; between two of them on a straight line.
    struct Waypoint {
        var seconds: Double
        var x: Double
        var y: Double
        /// Where the person looks, in turns counter-clockwise from x.
        var heading: Double
    }

    /// Where a person carries a thing, in metres from the axis: forward, to the left, up from the floor.
    struct Place {
        var forward: Double
        var left: Double
        var up: Double

        static let backpack = Place(forward: -0.22, left: 0, up: 1.2)
        static let leftHand = Place(forward: 0, left: 0.28, up: 0.75)
        static let rightHand = Place(forward: 0, left: -0.28, up: 0.75)
        static let front = Place(forward: 0.25, left: 0, up: 1.1)
        /// A badge that hangs from the neck.
        static let chest = Place(forward: 0.15, left: 0, up: 1.25)
    }

    /// What a ray through the axis loses, dB.
    var bodyLoss: Double
    private let path: [Waypoint]
    /// Turns of the sway at time zero.
    private let sway: Double
    private var cursor = 0
    private(set) var x = 0.0
    private(set) var y = 0.0
    private var heading: (sin: Double, cos: Double) = (0, 1)

    /// How far from the axis a ray is still weakened, metres (the loss falls as a bell).
    static let bodyWidth = 0.20
    /// The most that all bodies together take, dB.
    static let bodyLimit = 30.0
    static let swayFrequency = 1.9
    static let swayWidth = 0.03

    /// - Parameter path: at least one waypoint, in the order of time
    init(path: [Waypoint], bodyLoss: Double, sway: Double) {
        self.path = path
        self.bodyLoss = bodyLoss
        self.sway = sway
    }

    var start: Double { path[0].seconds }
    var end: Double { path[path.count - 1].seconds }

    /// Moves the person to where they are then. Time goes forward only.
    mutating func move(to seconds: Double) {
        while cursor + 2 < path.count, path[cursor + 1].seconds <= seconds { cursor += 1 }
        let (from, to) = (path[cursor], path[min(cursor + 1, path.count - 1)])
        let span = to.seconds - from.seconds
        let share = span > 0 ? min(max((seconds - from.seconds) / span, 0), 1) : 0
        heading = Radio.wave(turns: from.heading + (to.heading - from.heading) * share)
        let swing = Self.swayWidth * Radio.wave(turns: sway + Self.swayFrequency * seconds).sin
        x = from.x + (to.x - from.x) * share - swing * heading.sin
        y = from.y + (to.y - from.y) * share + swing * heading.cos
    }

    func point(of place: Place) -> Point {
        Point(
            x: x + place.forward * heading.cos - place.left * heading.sin,
            y: y + place.forward * heading.sin + place.left * heading.cos, z: place.up)
    }

    /// What this body takes from the ray between an antenna and a point, dB.
    @inline(__always)
    func loss(from antenna: RadioAntenna, to point: Point) -> Double {
        let (dx, dy) = (point.x - antenna.x, point.y - antenna.y)
        let square = dx * dx + dy * dy
        let along = square > 0 ? min(max(((x - antenna.x) * dx + (y - antenna.y) * dy) / square, 0), 1) : 0
        let (ox, oy) = (antenna.x + along * dx - x, antenna.y + along * dy - y)
        let ratio = (ox * ox + oy * oy) / (Self.bodyWidth * Self.bodyWidth)
        return ratio > 9 ? 0 : bodyLoss * Elementary.exp(-ratio)
    }
}

/// Makes the path of one person, step by step.
struct PathBuilder {
    private(set) var waypoints: [Walker.Waypoint]
    private let speed: Double

    /// - Parameter speed: metres in a second
    init(at seconds: Double, x: Double, y: Double, speed: Double, heading: Double) {
        waypoints = [Walker.Waypoint(seconds: seconds, x: x, y: y, heading: heading)]
        self.speed = speed
    }

    private var last: Walker.Waypoint { waypoints[waypoints.count - 1] }
    var seconds: Double { last.seconds }

    /// Goes straight to a place, at `factor` of the walking speed.
    mutating func go(toX x: Double, y: Double? = nil, factor: Double = 1) {
        let to = (x: x, y: y ?? last.y)
        let (dx, dy) = (to.x - last.x, to.y - last.y)
        let distance = (dx * dx + dy * dy).squareRoot()
        waypoints.append(
            Walker.Waypoint(seconds: last.seconds + distance / (speed * factor), x: to.x, y: to.y, heading: last.heading))
    }

    /// Stays and turns meanwhile.
    mutating func stay(for seconds: Double, turningTo heading: Double? = nil) {
        waypoints.append(
            Walker.Waypoint(seconds: last.seconds + seconds, x: last.x, y: last.y, heading: heading ?? last.heading))
    }

    /// Goes to a place on the other side of a line x = 0, and tells when it is passed.
    mutating func pass(toX x: Double) -> Double {
        let from = last
        go(toX: x)
        return from.seconds + (last.seconds - from.seconds) * (from.x / (from.x - x))
    }
}
