/// Elementary functions made of `+ − × ÷`, square root and the bits of a Double only.
///
/// The C library's versions differ in their last bits between machines; these do not, so that a decision taken on one machine is the
/// same on another. Relative error below 4·10⁻¹⁵ (`ElementaryTests`).
public enum Elementary {
    public static let ln2 = 0.693147180559945309417
    public static let pi = 3.14159265358979323846

    // ln 2 in two parts; the first has zeros at the end, so that a whole number times it is exact (fdlibm).
    private static let ln2High = 6.93147180369123816490e-01
    private static let ln2Low = 1.90821492927058770002e-10
    // Added and taken away again, it leaves the nearest whole number.
    private static let rounder = 0x1.8p52

    /// e^x; 0 below −708, infinite above 709, NaN for NaN.
    public static func exp(_ x: Double) -> Double {
        guard x > -708 else { return x.isNaN ? x : 0 }
        guard x < 709 else { return .infinity }
        let power = (x / ln2 + rounder) - rounder
        let rest = (x - power * ln2High) - power * ln2Low
        // Taylor's series for |rest| ≤ 0.35, from its end.
        var sum = 1.0
        for divisor in stride(from: 14, through: 1, by: -1) { sum = 1 + sum * rest / Double(divisor) }
        return sum * Double(sign: .plus, exponent: Int(power), significand: 1)
    }

    /// The natural logarithm; −∞ for 0, NaN below.
    public static func log(_ x: Double) -> Double {
        guard x > 0 else { return x == 0 ? -.infinity : .nan }
        guard x < .infinity else { return x }
        var (exponent, mantissa) = (x.exponent, x.significand)
        if mantissa > 1.4142135623730951 { (exponent, mantissa) = (exponent + 1, mantissa / 2) }
        // ln m = 2 artanh((m − 1)/(m + 1)), |ratio| ≤ 0.172.
        let ratio = (mantissa - 1) / (mantissa + 1)
        let square = ratio * ratio
        var sum = 0.0
        for divisor in stride(from: 21, through: 3, by: -2) { sum = (sum + 1 / Double(divisor)) * square }
        return Double(exponent) * ln2High + (2 * ratio * (1 + sum) + Double(exponent) * ln2Low)
    }

    /// The logarithm to base 10.
    public static func log10(_ x: Double) -> Double { log(x) / 2.30258509299404568402 }

    /// 10^(dB/10).
    public static func power(decibels: Double) -> Double { exp(decibels * 0.230258509299404568402) }

    /// 1/(1 + e^−x).
    public static func logistic(_ x: Double) -> Double { 1 / (1 + exp(-x)) }

    /// The sine of an angle in radians, |x| < 10⁸.
    public static func sin(_ x: Double) -> Double { sinCos(x).sin }

    /// The cosine of an angle in radians, |x| < 10⁸.
    public static func cos(_ x: Double) -> Double { sinCos(x).cos }

    public static func sinCos(_ x: Double) -> (sin: Double, cos: Double) {
        guard x.magnitude < 1e8 else { return (.nan, .nan) }
        let quarters = (x / (pi / 2) + rounder) - rounder
        // π/2 in three parts (Cody and Waite, as in fdlibm).
        let rest = ((x - quarters * 1.57079632673412561417) - quarters * 6.07710050630396597660e-11) - quarters * 2.02226624879595063154e-21
        let square = rest * rest
        var (sine, cosine) = (1.0, 1.0)
        for term in stride(from: 16, through: 2, by: -2) {
            let n = Double(term)
            sine = 1 - sine * square / (n * (n + 1))
            cosine = 1 - cosine * square / (n * (n - 1))
        }
        sine *= rest
        switch Int(quarters) & 3 {
        case 0: return (sine, cosine)
        case 1: return (cosine, -sine)
        case 2: return (-sine, -cosine)
        default: return (-cosine, sine)
        }
    }

    /// The arc tangent, −π/2…π/2.
    public static func atan(_ x: Double) -> Double {
        guard x.magnitude < 1e100 else { return x < 0 ? -pi / 2 : pi / 2 }
        // Two half angles bring it below 0.42.
        var tangent = x
        for _ in 0..<2 { tangent /= 1 + (1 + tangent * tangent).squareRoot() }
        let square = tangent * tangent
        var sum = 0.0
        for divisor in stride(from: 43, through: 1, by: -2) { sum = 1 / Double(divisor) - sum * square }
        return 4 * tangent * sum
    }

    /// The angle of the point (x, y) from the x axis, −π…π; 0 for the origin.
    public static func atan2(_ y: Double, _ x: Double) -> Double {
        if x > 0 { return atan(y / x) }
        if x < 0 { return y < 0 ? atan(y / x) - pi : atan(y / x) + pi }
        return y == 0 ? 0 : (y < 0 ? -pi / 2 : pi / 2)
    }

    /// The arc cosine, 0…π, of −1…1; what lies beyond counts as the end.
    public static func acos(_ x: Double) -> Double {
        guard x > -1 else { return pi }
        guard x < 1 else { return 0 }
        return 2 * atan(((1 - x) / (1 + x)).squareRoot())
    }
}
