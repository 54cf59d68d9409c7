"""ModemManager and brltty run beside the gateway and leave its devices alone; a modem-like device of nobody is probed by ModemManager."""


def story(lab):
    bench = lab.installed()
    for unit in ["ModemManager.service", "brltty.service"]:
        bench.run(f"systemctl start {unit}", check=False, timeout=90)
    bench.until("ModemManager runs", lambda: bench.property("ActiveState", "ModemManager.service") == "active", 60)
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

    # The control: ModemManager does write to ports that nobody keeps it from. By then it has looked at the others, too.
    heard = bench.until("ModemManager asks the stranger", lambda: stranger.heard(), 90)
    bench.expect(b"AT" in heard, f"the stranger was told {heard[:40]!r}")
    said = scanner.heard()
    bench.expect(said == b"", f"the scanner was told {said[:40]!r}")
    sent = line.received()
    bench.expect(sent == b"", f"the adapter was told {sent[:40]!r}")
    # brltty looks for Braille displays when it starts: FTDI chips are in many.
    bench.run("systemctl restart brltty.service", check=False, timeout=90)
    runs = bench.property("ActiveState", "brltty.service")
    scanner.scan("FREE-1")
    bench.expect_scan("FREE-1")
    line.send(b"FREE-2\r")
    bench.expect_scan("FREE-2")
    node = bench.devices()["adapter"]["port"]
    bench.expect("ttyUSB" in node, "the adapter lost its port")
    held = bench.run("ls -l /proc/$(pidof ModemManager)/fd /proc/$(pidof brltty)/fd 2>/dev/null", check=False)
    bench.expect("ttyACM0" not in held and node not in held, "another program holds a port of the gateway")
    return f"ModemManager wrote {heard.strip()[:12].decode(errors='replace')} to a stranger, nothing to scanner and FTDI adapter; both read beside brltty ({runs})"
