import Presence

// The same functions as everywhere in the product, so that a report is the same on every machine.
func tenToThe(_ x: Double) -> Double { Elementary.exp(x * 2.302585092994046) }
func naturalLogarithm(_ x: Double) -> Double { Elementary.log(x) }
func decadicLogarithm(_ x: Double) -> Double { Elementary.log10(x) }
