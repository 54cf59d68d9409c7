"""Scanners are unplugged in the middle of a code: no half code is taken, and the next one is whole."""


def story(lab):
    bench = lab.installed()
    serial = bench.scanner("serial", kind="cdc", vendor="05e0", product="1701", serial="S1")
    keys = bench.scanner("keys", kind="keyboard", vendor="05f9", product="2206", serial="K1")
    bench.bench_with(
        'name = "serial"\nprofile = "zebra/cdc-scanner"',
        'name = "keys"\nprofile = "generic/keyboard-wedge"\nmatch = { ID_VENDOR_ID = "05f9", ID_INPUT_KEYBOARD = "1" }')
    serial.plug(port=0)
    keys.plug(port=1)
    bench.expect_device("serial", "reading")
    bench.expect_device("keys", "reading")

    serial.send(b"HALF-")
    serial.unplug()
    keys.type("HALF-")
    keys.unplug()
    bench.expect_device("serial", "absent")
    bench.expect_device("keys", "absent")

    serial.plug(port=0)
    keys.plug(port=1)
    bench.expect_device("serial", "reading")
    bench.expect_device("keys", "reading")
    serial.scan("WHOLE-1")
    bench.expect_scan("WHOLE-1")
    keys.scan("WHOLE-2")
    bench.expect_scan("WHOLE-2")
    bench.expect(bench.codes() == ["WHOLE-1", "WHOLE-2"], f"other codes were taken: {bench.codes()}")
    return "half a line and half a typed code gave nothing, the codes after replugging came whole"
