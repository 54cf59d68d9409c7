/// Plots as SVG, written by hand so that the same figures are the same bytes: lines over named steps, and bars.
struct Chart {
    struct Series {
        var name: String
        /// One for each label; nil: no point.
        var values: [Double?]
    }

    var title: String
    var labels: [String]
    var series: [Series]
    var range: ClosedRange<Double>
    var unit = ""
    var isBars = false

    private static let colours = ["#1b6ca8", "#d1495b", "#5b8c5a", "#8f6bb3", "#c98a1b", "#4f5d75"]
    private static let size = (width: 720.0, height: 400.0)
    private static let plot = (left: 60.0, right: 520.0, top: 50.0, bottom: 350.0)

    var svg: String {
        let (size, plot) = (Self.size, Self.plot)
        var lines = [
            "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(fixed(size.width, 0)) \(fixed(size.height, 0))\" font-family=\"sans-serif\" font-size=\"12\">",
            "<rect width=\"100%\" height=\"100%\" fill=\"#ffffff\"/>", text(title, x: plot.left, y: 28, size: 15),
        ]
        for step in 0...5 {
            let value = range.lowerBound + (range.upperBound - range.lowerBound) * Double(step) / 5
            let y = y(value)
            lines.append(line(plot.left, y, plot.right, y, colour: "#dddddd"))
            lines.append(text(fixed(value, range.upperBound <= 2 ? 2 : 1) + unit, x: plot.left - 8, y: y + 4, anchor: "end"))
        }
        for (index, label) in labels.enumerated() {
            lines.append(text(label, x: x(index), y: plot.bottom + 20, anchor: "middle"))
        }
        for (number, series) in series.enumerated() {
            let colour = Self.colours[number % Self.colours.count]
            lines += isBars ? bars(series, number, colour) : curve(series, colour)
            let y = plot.top + 10 + Double(number) * 22
            lines.append("<rect x=\"540\" y=\"\(fixed(y - 9, 1))\" width=\"12\" height=\"12\" fill=\"\(colour)\"/>")
            lines.append(text(series.name, x: 558, y: y + 2))
        }
        return (lines + ["</svg>", ""]).joined(separator: "\n")
    }

    private func curve(_ series: Series, _ colour: String) -> [String] {
        let points = series.values.enumerated().compactMap { index, value in value.map { (x(index), y($0)) } }
        let path = points.map { "\(fixed($0.0, 1)),\(fixed($0.1, 1))" }.joined(separator: " ")
        return ["<polyline points=\"\(path)\" fill=\"none\" stroke=\"\(colour)\" stroke-width=\"2\"/>"]
            + points.map { "<circle cx=\"\(fixed($0.0, 1))\" cy=\"\(fixed($0.1, 1))\" r=\"3\" fill=\"\(colour)\"/>" }
    }

    private func bars(_ series: Series, _ number: Int, _ colour: String) -> [String] {
        let step = (Self.plot.right - Self.plot.left) / Double(max(labels.count, 1))
        let width = step * 0.8 / Double(max(self.series.count, 1))
        return series.values.enumerated().compactMap { index, value in
            guard let value else { return nil }
            let left = x(index) - step * 0.4 + width * Double(number)
            let top = y(value)
            return
                "<rect x=\"\(fixed(left, 1))\" y=\"\(fixed(top, 1))\" width=\"\(fixed(width - 1, 1))\" height=\"\(fixed(Self.plot.bottom - top, 1))\" fill=\"\(colour)\"/>"
        }
    }

    private func x(_ index: Int) -> Double {
        Self.plot.left + (Self.plot.right - Self.plot.left) * (Double(index) + 0.5) / Double(max(labels.count, 1))
    }

    private func y(_ value: Double) -> Double {
        let share = (min(max(value, range.lowerBound), range.upperBound) - range.lowerBound) / (range.upperBound - range.lowerBound)
        return Self.plot.bottom - share * (Self.plot.bottom - Self.plot.top)
    }

    private func line(_ x1: Double, _ y1: Double, _ x2: Double, _ y2: Double, colour: String) -> String {
        "<line x1=\"\(fixed(x1, 1))\" y1=\"\(fixed(y1, 1))\" x2=\"\(fixed(x2, 1))\" y2=\"\(fixed(y2, 1))\" stroke=\"\(colour)\"/>"
    }

    private func text(_ text: String, x: Double, y: Double, anchor: String = "start", size: Int = 12) -> String {
        let escaped = text.map { ["<": "&lt;", ">": "&gt;", "&": "&amp;"][$0] ?? String($0) }.joined()
        return "<text x=\"\(fixed(x, 1))\" y=\"\(fixed(y, 1))\" text-anchor=\"\(anchor)\" font-size=\"\(size)\">\(escaped)</text>"
    }
}
