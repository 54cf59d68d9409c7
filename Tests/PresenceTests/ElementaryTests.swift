import Testing

@testable import Presence

@Suite("Elementary functions")
struct ElementaryTests {
    // Values of standard tables (Abramowitz and Stegun), to 17 digits.
    @Test(
        "Known values",
        arguments: [
            (Elementary.exp(1), 2.7182818284590452), (Elementary.exp(-10), 4.5399929762484852e-05),
            (Elementary.exp(300), 1.9424263952412559e130),
            (Elementary.log(10), 2.3025850929940457), (Elementary.log(1 + 0x1p-20), 9.536738616591883e-07),
            (Elementary.log(0x1p-1000), -693.14718055994531), (Elementary.log10(2), 0.30102999566398120),
            (Elementary.sin(1), 0.84147098480789651), (Elementary.cos(1), 0.54030230586813972), (Elementary.sin(1e6), -0.34999350217129295),
            (Elementary.atan(1), 0.78539816339744831), (Elementary.atan(0.1), 0.099668652491162027),
            (Elementary.atan(-50), -1.5507989928217461),
            (Elementary.atan2(-1, -1), -2.3561944901923449), (Elementary.acos(0.5), 1.0471975511965979),
            (Elementary.logistic(2), 0.88079707797788244),
            (Elementary.power(decibels: -3), 0.50118723362727228),
        ])
    func values(found: Double, expected: Double) {
        #expect((found - expected).magnitude <= 4e-15 * expected.magnitude)
    }

    @Test("Ends of the range")
    func ends() {
        #expect(Elementary.exp(-1e9) == 0)
        #expect(Elementary.exp(1e9) == .infinity)
        #expect(Elementary.log(0) == -.infinity)
        #expect(Elementary.log(-1).isNaN)
        #expect(Elementary.exp(.nan).isNaN)
        #expect(Elementary.acos(-2) == Elementary.pi)
        #expect(Elementary.sin(.infinity).isNaN)
    }

    @Test("exp and log undo each other")
    func inverse() {
        for step in -700...700 {
            let x = Double(step) * 1.003
            #expect((Elementary.log(Elementary.exp(x)) - x).magnitude <= 4e-15 * max(1, x.magnitude))
        }
    }
}
