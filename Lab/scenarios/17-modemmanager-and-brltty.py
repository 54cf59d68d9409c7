"""ModemManager and brltty run beside the gateway and leave its devices alone, because of the gateway's rules; a modem is probed."""

# What the rules of a modem's maker say; by itself ModemManager 1.20 asks few devices only.
MODEM = 'ACTION!="remove", SUBSYSTEM=="usb", ATTR{idVendor}=="1d6b", ENV{ID_MM_DEVICE_PROCESS}="1"\n'


def story(lab):
    bench = lab.installed()
    bench.run("mkdir -p /run/udev/rules.d")
    bench.machine.write("/run/udev/rules.d/77-modem.rules", MODEM)
    bench.run("udevadm control --reload")
    for unit in ["ModemManager.service", "brltty.service"]:
        bench.run(f"systemctl start {unit}", check=False, timeout=90)
    bench.until("ModemManager runs", lambda: bench.property("ActiveState", "ModemManager.service") == "active", 60)
    bench.run("mmcli --set-logging=DEBUG")
    bench.bench_with(
        'name = "scanner"\nprofile = "zebra/cdc-scanner"',
        'name = "adapter"\nprofile = "generic/serial-scanner"\nmatch = { SUBSYSTEM = "tty", ID_VENDOR_ID = "0403" }')

    scanner = bench.scanner("zebra", kind="cdc", vendor="05e0", product="1701")
    stranger = bench.scanner("stranger", kind="cdc", vendor="1d6b", product="0104", model="Modem")
    line = lab.line(bench, "adapter")
    scanner.plug(port=0)
    line.plug(1)
    bench.expect_device("scanner", "reading")
    bench.expect_device("adapter", "reading")
    stranger.plug(port=1)

    # The control: ModemManager does write to ports. By then it has looked at the others, too.
    heard = bytearray()
    bench.until("ModemManager asks the stranger", lambda: heard.extend(stranger.heard()) or b"AT" in heard, 90)
    said = scanner.heard()
    bench.expect(said == b"", f"the scanner was told {said[:40]!r}")
    sent = line.received()
    bench.expect(sent == b"", f"the adapter was told {sent[:40]!r}")
    node = bench.devices()["adapter"]["port"]
    kept = [line for line in bench.journal("ModemManager.service").splitlines() if "blocklisted" in line]
    for name in ["ttyACM0", node.removeprefix("/dev/")]:
        bench.expect(any(f"tty/{name}" in line for line in kept), f"ModemManager was not kept from {name} by a rule: {kept}")
    # brltty looks for Braille displays when it starts: FTDI chips are in many.
    bench.run("systemctl restart brltty.service", check=False, timeout=90)
    runs = bench.property("ActiveState", "brltty.service")
    scanner.scan("FREE-1")
    bench.expect_scan("FREE-1")
    line.send(b"FREE-2\r")
    bench.expect_scan("FREE-2")
    bench.expect(bench.devices()["adapter"]["port"] == node, "the adapter lost its port")
    held = bench.run("ls -l /proc/$(pidof ModemManager)/fd /proc/$(pidof brltty)/fd 2>/dev/null", check=False)
    bench.expect("ttyACM0" not in held and node not in held, "another program holds a port of the gateway")
    return f"ModemManager wrote {heard.strip()[:12].decode(errors='replace')} to a stranger, nothing to scanner and FTDI adapter, which it calls blocklisted; both read beside brltty ({runs})"
