/// Text from outside as it may stand in a log or on a terminal: no control or format characters, at most 300 characters.
func printable(_ text: String) -> String {
    var result = String.UnicodeScalarView()
    for scalar in text.unicodeScalars.prefix(300) {
        switch scalar.properties.generalCategory {
        case .control, .format, .lineSeparator, .paragraphSeparator, .privateUse, .unassigned, .surrogate: result.append(" ")
        default: result.append(scalar)
        }
    }
    return String(result)
}
