"""A scanner that types: before the gateway takes it its keys reach the console, after that nothing does."""


def story(lab):
    bench = lab.installed()
    scanner = bench.scanner("datalogic", kind="keyboard", vendor="05f9", product="2206", serial="K1")
    device = 'name = "wedge"\nprofile = "generic/keyboard-wedge"\nmatch = { ID_VENDOR_ID = "05f9", ID_INPUT_KEYBOARD = "1" }'
    bench.run("systemctl stop stockgated.service")
    bench.until("a login waits on tty1", lambda: "login:" in bench.screen())

    # The control: the console does listen.
    scanner.plug(port=0)
    bench.until("the scanner is a keyboard", lambda: bench.run("ls /dev/input/by-id/*-event-kbd", check=False) and bench.machine.status == 0)
    scanner.scan("OPEN-1")
    bench.until("the console shows what was typed", lambda: "OPEN-1" in bench.screen())

    bench.bench_with(device)
    bench.expect_device("wedge", "reading", port="/dev/input/event")
    scanner.scan("TAKEN-1")
    bench.expect_scan("TAKEN-1")

    scanner.unplug()
    bench.expect_device("wedge", "absent")
    scanner.plug(port=1)
    grabbed = bench.expect_device("wedge", "reading")["grab_ms"]
    scanner.scan("TAKEN-2")
    bench.expect_scan("TAKEN-2")
    bench.expect("TAKEN" not in bench.screen(), "the scanner typed into the console")
    return f"typed into the getty on tty1 before, into nothing after the grab; grabbed {grabbed} ms after its node appeared on plugging in"
