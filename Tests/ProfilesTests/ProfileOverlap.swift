/// Profiles that read something from the captures of others, and why that is accepted: a site file or a USB id chooses the profile, so
/// an overlap is no mistake, but every one is looked at before it is.
struct ProfileOverlap {
    struct Pair: Hashable, CustomStringConvertible {
        var reader: String
        /// The profile whose captures are read.
        var captures: String

        var description: String { "\(reader) reads \(captures)" }
    }

    var readers: [String]
    var captures: [String]
    var reason: String

    var pairs: [Pair] {
        readers.flatMap { reader in captures.filter { $0 != reader }.map { Pair(reader: reader, captures: $0) } }
    }

    static let table: [ProfileOverlap] = [
        ProfileOverlap(
            readers: lineScanners + ["grow/gm65"],
            captures: lineScanners + wiegandText + fixedScanners + ["grow/gm65"],
            reason:
                "a code between nothing and CR: the lines of scanners, converters and fixed scanners differ in nothing but their content"),
        ProfileOverlap(
            readers: lineScanners + ["grow/gm65"], captures: ["chafon/uhfreader288", "honeywell/hid-pos", "moxa/iologik-e1214"],
            reason: "no check sum: any byte 0D in binary data ends a line, and the bytes before it are taken for a code"),
        ProfileOverlap(
            readers: dataMan, captures: wiegandText + dataMan + ["datalogic/cdc-scanner", "honeywell/hid-pos"],
            reason: "lines without a check sum that end in CR LF"),
        ProfileOverlap(
            readers: ["keyence/sr", "keyence/sr-continuous"],
            captures: lineScanners + wiegandText + fixedScanners + ["grow/gm65"],
            reason: "lines without a check sum that end in CR; the two profiles differ in who pulls the trigger"),
        ProfileOverlap(
            readers: ["generic/wiegand-hexadecimal"], captures: ["grow/gm65"],
            reason: "a code of hexadecimal digits is a badge number in hexadecimal"),
        ProfileOverlap(
            readers: ["sick/cola"], captures: ["datalogic/cdc-scanner", "em4100/clone", "em4100/serial-ascii"],
            reason: "all send text between STX and ETX; CoLa has no check sum"),
        ProfileOverlap(
            readers: ["em4100/clone", "em4100/serial-ascii", "innovations/id-12"],
            captures: ["em4100/clone", "em4100/serial-ascii", "innovations/id-12"],
            reason: "one format; the profiles differ in what a wrong check sum means"),
        ProfileOverlap(
            readers: ["r2000/a0-uhf", "r2000/a0-uhf-8", "r2000/a0-uhf-single"],
            captures: ["r2000/a0-uhf", "r2000/a0-uhf-8", "r2000/a0-uhf-single"],
            reason: "one protocol; the profiles differ in the number of antennas"),
        ProfileOverlap(
            readers: ["chafon/uhfreader18", "chafon/uhfreader288"], captures: ["chafon/uhfreader18", "chafon/uhfreader288"],
            reason: "one framing with one CRC; the newer readers have further commands"),
        ProfileOverlap(
            readers: ["m100/bb"], captures: ["r200/aa"],
            reason: "one family: that capture has a frame with the other head and end among its own, to show that it is passed over"),
        ProfileOverlap(
            readers: modbusInputs, captures: modbusInputs,
            reason: "one protocol: a response does not say what was asked, so inputs of one unit are inputs for another profile"),
        ProfileOverlap(
            readers: ["generic/llrp-reader", "impinj/r700", "impinj/speedway", "zebra/fx7500-fx9600"],
            captures: ["generic/llrp-reader", "impinj/r700", "impinj/speedway", "zebra/fx7500-fx9600"],
            reason: "one protocol; the profiles differ in the extensions that are asked for"),
        ProfileOverlap(
            readers: ["generic/osdp-reader", "generic/osdp-reader-115200"],
            captures: ["generic/osdp-reader", "generic/osdp-reader-115200"],
            reason: "one protocol at two line speeds"),
        ProfileOverlap(
            readers: keyboardScanners, captures: keyboardScanners + keyboardBadges,
            reason: "keystrokes that end in Enter; USB ids tell the devices apart"),
        ProfileOverlap(
            readers: ["generic/keyboard-badge", "rfideas/keyboard-badge", "sycreader/keyboard-badge"],
            captures: ["generic/keyboard-badge", "rfideas/keyboard-badge", "sycreader/keyboard-badge"],
            reason: "digits that end in Enter; USB ids tell the devices apart"),
        ProfileOverlap(
            readers: ["generic/keyboard-badge-hex"], captures: ["generic/keyboard-wedge", "rfideas/keyboard-badge"],
            reason: "hexadecimal digits that end in Enter; the site file chooses it by name"),
        ProfileOverlap(
            readers: standardPointOfSale + ["newland/hid-pos"], captures: standardPointOfSale,
            reason: "one report layout of the HID usage tables; USB ids tell the devices apart"),
    ]

    private static let lineScanners = [
        "datalogic/cdc-scanner", "generic/serial-scanner", "honeywell/cdc-scanner", "newland/cdc-scanner", "opticon/cdc-scanner",
        "zebra/cdc-scanner",
    ]
    private static let wiegandText = ["generic/wiegand-bits", "generic/wiegand-facility", "generic/wiegand-hexadecimal"]
    private static let dataMan = ["cognex/dataman", "cognex/dataman-continuous"]
    private static let fixedScanners = dataMan + ["keyence/sr", "keyence/sr-continuous"]
    private static let modbusInputs = ["advantech/adam-6050", "moxa/iologik-e1214", "technotrade/vrd-485", "waveshare/relay-8"]
    private static let keyboardScanners = [
        "datalogic/keyboard-wedge", "generic/keyboard-wedge", "honeywell/keyboard-wedge", "newland/keyboard-wedge",
        "opticon/keyboard-wedge", "zebra/keyboard-wedge",
    ]
    private static let keyboardBadges = [
        "generic/keyboard-badge", "generic/keyboard-badge-hex", "rfideas/keyboard-badge", "sycreader/keyboard-badge",
    ]
    private static let standardPointOfSale = ["datalogic/hid-pos", "generic/hid-pos", "honeywell/hid-pos", "zebra/hid-pos"]
}
