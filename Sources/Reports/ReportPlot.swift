import OperatorText

/// Plots as SVG, drawn without a library: no script, colours by the page's style, so that they fit light, dark and paper.
enum ReportPlot {
    /// One bar with parts that lie behind one another.
    struct Bar {
        var label: Printable
        var parts: [Double]
        var text: Printable
    }

    /// What a colour stands for; in the order of the parts.
    typealias Legend = [Printable]

    /// Nobody lends more in a day; an answer is not always one of a gateway.
    static let largestCount: Int64 = 1_000_000_000

    /// Horizontal bars.
    /// - Parameter scale: the value that fills the width; nil: the largest.
    static func bars(_ bars: [Bar], title: Printable, legend: Legend = [], scale: Double? = nil) -> String {
        let (width, left, right, pitch) = (720.0, 230.0, 70.0, 22.0)
        let top = legend.isEmpty ? 4.0 : 26.0
        let largest = max(scale ?? bars.map { $0.parts.reduce(0, +) }.max() ?? 0, .leastNormalMagnitude)
        var svg = begin(width, top + Double(bars.count) * pitch + 4, title) + key(legend, x: left)
        for (row, bar) in bars.enumerated() {
            let y = top + Double(row) * pitch
            svg += label(bar.label.cut(to: 30), x: left - 8, y: y + 15, anchor: "end")
            var x = left
            for (part, value) in bar.parts.enumerated() where value > 0 {
                let length = (width - left - right) * min(1, value / largest)
                guard x + length <= width - right + 1 else { continue }
                svg += rectangle(x, y + 3, length, pitch - 6, part)
                x += length
            }
            svg += label(bar.text, x: x + 6, y: y + 15)
        }
        return svg + "</svg>\n"
    }

    /// Upright bars in groups, one group for each day.
    static func days(_ days: [(label: Printable, values: [Int64])], title: Printable, legend: Legend) -> String {
        let (width, height, left, top, bottom) = (720.0, 220.0, 48.0, 30.0, 24.0)
        let largest = max(1, min(largestCount, days.flatMap(\.values).max() ?? 1))
        let step = niceStep(largest)
        let scale = (height - top - bottom) / Double(((largest - 1) / step + 1) * step)
        var svg = begin(width, height, title) + key(legend, x: left)
        for line in 0...max(1, (largest - 1) / step + 1) {
            let y = height - bottom - Double(line) * Double(step) * scale
            svg += "<line x1=\"\(number(left))\" y1=\"\(number(y))\" x2=\"\(number(width))\" y2=\"\(number(y))\" class=\"grid\"/>"
            svg += label(Printable(line * step), x: left - 6, y: y + 4, anchor: "end")
        }
        let pitch = (width - left) / Double(max(1, days.count))
        for (position, day) in days.enumerated() {
            let begin = left + Double(position) * pitch
            let thickness = pitch * 0.8 / Double(max(1, day.values.count))
            for (part, value) in day.values.enumerated() where value > 0 {
                let size = Double(min(value, largest)) * scale
                svg += rectangle(begin + pitch * 0.1 + Double(part) * thickness, height - bottom - size, thickness, size, part)
            }
            if position % 2 == 0 { svg += label(day.label, x: begin + pitch / 2, y: height - 8, anchor: "middle") }
        }
        return svg + "</svg>\n"
    }

    /// 1, 2 or 5 with zeros: four lines at least, ten at most.
    static func niceStep(_ largest: Int64) -> Int64 {
        var step: Int64 = 1
        for factor in [2, 5, 10, 20, 50, 100, 200, 500, 1_000, 2_000, 5_000, 10_000, 50_000, 100_000, 1_000_000, 10_000_000] as [Int64]
        where largest / step > 5 {
            step = factor
        }
        return max(step, largest / 10)
    }

    private static func begin(_ width: Double, _ height: Double, _ title: Printable) -> String {
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(number(width)) \(number(height))\" role=\"img\"><title>\(Markup.text(title))</title>"
    }

    private static func key(_ legend: Legend, x: Double) -> String {
        var svg = ""
        var x = x
        for (part, text) in legend.enumerated() {
            svg += rectangle(x, 4, 12, 12, part) + label(text, x: x + 17, y: 14)
            x += 40 + Double(text.width) * 8
        }
        return svg
    }

    private static func rectangle(_ x: Double, _ y: Double, _ width: Double, _ height: Double, _ part: Int) -> String {
        "<rect x=\"\(number(x))\" y=\"\(number(y))\" width=\"\(number(width))\" height=\"\(number(height))\" class=\"part\(part % 3)\"/>"
    }

    private static func label(_ text: Printable, x: Double, y: Double, anchor: String = "start") -> String {
        "<text x=\"\(number(x))\" y=\"\(number(y))\" text-anchor=\"\(anchor)\">\(Markup.text(text))</text>"
    }

    /// To a tenth of a point.
    private static func number(_ value: Double) -> String {
        guard value.magnitude < 1_000_000 else { return "0" }
        let tenths = (value * 10).rounded() / 10
        return tenths == tenths.rounded() ? "\(Int64(tenths))" : "\(tenths)"
    }
}

/// Text in HTML and SVG.
enum Markup {
    /// Escaped for an element's content and for an attribute in quotation marks. Control and direction characters are gone already.
    static func text(_ text: Printable) -> String {
        var result = ""
        for scalar in text.text.unicodeScalars {
            switch scalar {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            case "'": result += "&#39;"
            default: result.unicodeScalars.append(scalar)
            }
        }
        return result
    }
}
