extension ProfileLibrary {
    /// The udev rules for the devices that these profiles find, `udev/70-stockgate.rules`.
    public var udevRules: String {
        (Self.rulesHead + Self.makerRules + profileRules + Self.converterRules + Self.rulesTail).joined(separator: "\n") + "\n"
    }

    private static let rulesHead: [String] = [
        "# Scanners and readers for the gateway: its group may open them, and nobody else talks to them or listens to what they type.",
        "# Written by `make docs` from the device profiles; `stockgate profile rules` prints it for profiles of your own.",
        "#",
        "# Install as /usr/lib/udev/rules.d/70-stockgate.rules (after 60-serial and 70-power-switch, before "
            + "73-seat-late), create the system",
        "# group \"stockgate\", then:",
        "#     udevadm control --reload && udevadm trigger",
        "# `udevadm info /dev/ttyACM0` shows STOCKGATE=1 for a device that these rules have recognised.",
        "",
        "ACTION==\"remove\", GOTO=\"stockgate_end\"",
        "SUBSYSTEM!=\"usb|usb-serial|tty|input|hidraw\", GOTO=\"stockgate_end\"",
        "",
        "# FTDI chips keep what they received for 16 ms unless told otherwise.",
        "SUBSYSTEM==\"usb-serial\", DRIVER==\"ftdi_sio\", ATTR{latency_timer}=\"1\"",
        "SUBSYSTEM==\"usb-serial\", GOTO=\"stockgate_end\"",
        "",
    ]

    /// Vendor ids of makers of nothing but data capture devices (usb.ids).
    private static let makers = ["05e0", "0c2e", "0536", "05f9", "080c", "1eab", "065a", "0db5", "0c27", "1667", "0745", "23d0"]

    private static let makerRules: [String] = [
        "# Makers of nothing but data capture devices: Symbol and Zebra, Metrologic and Honeywell, Hand Held Products, "
            + "Datalogic (two ids),",
        "# Newland, Opticon, Access IS, RF IDeas, GIGA-TMS, CipherLab (Syntech), Youjie.",
        "SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"\(makers.joined(separator: "|"))\", ENV{STOCKGATE}=\"1\"",
        "# One model of a maker of other things: Intermec's virtual port.",
        "SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"067e\", ATTRS{idProduct}==\"0803\", ENV{STOCKGATE}=\"1\"",
        "",
    ]

    /// One line for each rule of a profile that no line above covers.
    private var profileRules: [String] {
        var owners: [(line: String, profiles: [String])] = []
        for profile in profiles {
            for rule in profile.rules {
                guard let line = rule.udevLine(makers: Self.makers) else { continue }
                if let place = owners.firstIndex(where: { $0.line == line }) {
                    if !owners[place].profiles.contains(profile.id) { owners[place].profiles.append(profile.id) }
                } else {
                    owners.append((line, [profile.id]))
                }
            }
        }
        guard !owners.isEmpty else { return [] }
        var lines = ["# Devices of the profiles."]
        for owner in owners { lines += ["# \(owner.profiles.joined(separator: ", "))", owner.line] }
        return lines + [""]
    }

    /// Ports of chips that may have anything on them.
    private static var converterRules: [String] {
        var lines = [
            "# A USB serial chip says nothing about what is behind it, so no profile takes it: the site file names its port. It keeps the group of",
            "# the distribution (dialout), to which the service belongs, so that other programs of this machine keep their ports. It is kept from",
            "# ModemManager, which opens every new port and writes to it, what some readers take for commands. brltty up to 6.4, and on some",
            "# distributions later, takes two of these chips for Braille displays, and their ports disappear; it looks at PRODUCT, which is set to",
            "# 0/0/0 for it. That stays to be seen: `udevadm info` and other programs show PRODUCT=0/0/0 for such a device, while ID_VENDOR_ID and",
            "# ID_MODEL_ID stay true. Where such a chip is in a modem or a Braille display that you need, write into",
            "# /etc/udev/rules.d/69-other.rules:",
            "#     SUBSYSTEMS==\"usb\", ATTRS{serial}==\"…\", ENV{STOCKGATE_IGNORE}=\"1\"",
        ]
        for chip in MatchRule.chips {
            lines.append("# \(chip.name)")
            // In the order of the table, which is that of the vendors.
            for (vendor, products) in grouped(chip.ids) {
                lines.append(
                    "ENV{STOCKGATE_IGNORE}!=\"1\", SUBSYSTEMS==\"usb\", ATTRS{idVendor}==\"\(vendor)\", "
                        + "ATTRS{idProduct}==\"\(products.joined(separator: "|"))\", "
                        + "ENV{STOCKGATE_CONVERTER}=\"1\"")
            }
        }
        lines += [
            "ENV{STOCKGATE_CONVERTER}==\"1\", SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", "
                + "ENV{PRODUCT}==\"1a86/7523/*|10c4/ea60/*\", ENV{PRODUCT}=\"0/0/0\"",
            "ENV{STOCKGATE_CONVERTER}==\"1\", SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ENV{ID_MM_DEVICE_IGNORE}=\"1\"",
            "ENV{STOCKGATE_CONVERTER}==\"1\", SUBSYSTEM==\"tty\", ENV{ID_MM_DEVICE_IGNORE}=\"1\", ENV{ID_MM_PORT_IGNORE}=\"1\"",
            "ENV{STOCKGATE_CONVERTER}==\"1\", SUBSYSTEM==\"tty\", ENV{ID_PATH_TAG}==\"?*\", SYMLINK+=\"stockgate/by-path/tty-$env{ID_PATH_TAG}\"",
            "",
        ]
        return lines
    }

    private static func grouped(_ ids: [String]) -> [(vendor: String, products: [String])] {
        var groups: [(vendor: String, products: [String])] = []
        for id in ids {
            let parts = id.split(separator: ":").map(String.init)
            guard parts.count == 2 else { continue }
            if let place = groups.firstIndex(where: { $0.vendor == parts[0] }) {
                groups[place].products.append(parts[1])
            } else {
                groups.append((parts[0], [parts[1]]))
            }
        }
        return groups
    }

    private static let rulesTail: [String] = [
        "# A device that none of these lines knows, a keyboard scanner with the id of a keyboard controller "
            + "(04b4:0100, 1243:e000 and others) for",
        "# example, needs a line in a file of your own, /etc/udev/rules.d/69-readers.rules (`udevadm info "
            + "/dev/input/event7` shows ID_PATH):",
        "#     SUBSYSTEM==\"input\", ENV{ID_PATH}==\"pci-0000:00:14.0-usb-0:3:1.0\", ENV{STOCKGATE}=\"1\"",
        "",
        "ENV{STOCKGATE}!=\"1\", GOTO=\"stockgate_end\"",
        "",
        "# The device: no modem.",
        "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", ENV{ID_MM_DEVICE_IGNORE}=\"1\"",
        "# No sleep, which swallows the first scan after a pause.",
        "SUBSYSTEM==\"usb\", ENV{DEVTYPE}==\"usb_device\", TEST==\"power/control\", ATTR{power/control}=\"on\"",
        "",
        "# Serial ports. The names below /dev/stockgate/by-path stay the same as long as the device stays on its port, "
            + "with and without serial",
        "# number; udev writes ID_PATH_TAG with letters, digits, - and _ only.",
        "SUBSYSTEM==\"tty\", GROUP=\"stockgate\", MODE=\"0660\", ENV{ID_MM_DEVICE_IGNORE}=\"1\", ENV{ID_MM_PORT_IGNORE}=\"1\"",
        "SUBSYSTEM==\"tty\", ENV{ID_PATH_TAG}==\"?*\", SYMLINK+=\"stockgate/by-path/tty-$env{ID_PATH_TAG}\"",
        "",
        "# Scanners and badge readers that type: hidden from the desktop and from logind's power keys also before the gateway takes them.",
        "SUBSYSTEM==\"input\", KERNEL==\"event[0-9]*\", GROUP=\"stockgate\", MODE=\"0660\", "
            + "ENV{LIBINPUT_IGNORE_DEVICE}=\"1\", TAG-=\"power-switch\"",
        "SUBSYSTEM==\"input\", KERNEL==\"event[0-9]*\", ENV{ID_INPUT_KEYBOARD}==\"1\", ENV{ID_PATH_TAG}==\"?*\", "
            + "SYMLINK+=\"stockgate/by-path/keyboard-$env{ID_PATH_TAG}\"",
        "",
        "# HID POS scanners. Nothing before this file asks for the path of a hidraw node.",
        "SUBSYSTEM==\"hidraw\", IMPORT{builtin}=\"path_id\"",
        "SUBSYSTEM==\"hidraw\", GROUP=\"stockgate\", MODE=\"0660\"",
        "SUBSYSTEM==\"hidraw\", ENV{ID_PATH_TAG}==\"?*\", SYMLINK+=\"stockgate/by-path/hidraw-$env{ID_PATH_TAG}\"",
        "",
        "LABEL=\"stockgate_end\"",
    ]
}

extension MatchRule {
    /// What rules may compare: the ids of the USB device as attributes, so that the device itself and all its nodes are recognised, and the
    /// properties that tell products apart. What a node is (`ID_INPUT_KEYBOARD`) and its interface are left out: the gateway looks at them
    /// when it chooses among the nodes of a device.
    /// - Returns: nil where a maker's rule covers it, or a value holds what udev would read otherwise.
    fileprivate func udevLine(makers: [String]) -> String? {
        var terms: [String] = []
        if let vendor = properties["ID_VENDOR_ID"] {
            if makers.contains(vendor) { return nil }
            terms = ["SUBSYSTEMS==\"usb\"", "ATTRS{idVendor}==\"\(vendor)\""]
            if let product = properties["ID_MODEL_ID"] { terms.append("ATTRS{idProduct}==\"\(product)\"") }
        }
        for name in ["ID_MODEL", "ID_PATH", "ID_SERIAL", "ID_SERIAL_SHORT", "ID_VENDOR"] {
            guard let pattern = properties[name] else { continue }
            let isPlain = pattern.utf8.allSatisfy { $0 > 0x20 && $0 < 0x7F && ![0x22, 0x24, 0x25, 0x5B, 0x5C, 0x5D, 0x7C].contains($0) }
            guard isPlain, !pattern.isEmpty else { return nil }
            terms.append("ENV{\(name)}==\"\(pattern)\"")
        }
        return terms.isEmpty ? nil : (terms + ["ENV{STOCKGATE}=\"1\""]).joined(separator: ", ")
    }
}
