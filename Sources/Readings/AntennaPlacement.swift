/// Where an antenna stands at its gate and where it looks, in the gate's own axes: x along the way people walk (inside below 0, outside
/// above), y across it from the right-hand post as seen from inside, z up from the floor.
public struct AntennaPlacement: Hashable, Sendable {
    /// Centimetres, −1,000…1,000.
    public var x: Int16
    public var y: Int16
    public var z: Int16
    /// Where the middle of the beam points, in degrees counter-clockwise from x (from inside to outside) as seen from above, −180…180.
    public var facing: Int16

    public init(x: Int16, y: Int16, z: Int16 = 120, facing: Int16) {
        self.x = x
        self.y = y
        self.z = z
        self.facing = facing
    }
}
