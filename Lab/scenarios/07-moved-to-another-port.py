"""A scanner moves to another USB port: what is known by its make moves along, what is bound to the port does not."""


def story(lab):
    bench = lab.installed()
    scanner = bench.scanner("zebra", kind="cdc", vendor="05e0", product="1701", serial="S1")
    fixed = bench.scanner("fixed", kind="cdc", vendor="0c2e", product="0b6a")
    bench.bench_with(
        'name = "free"\nprofile = "zebra/cdc-scanner"',
        'name = "bound"\nprofile = "generic/serial-scanner"\nmatch = { SUBSYSTEM = "tty", ID_PATH = "platform-dummy_hcd.2-usb-0:1:1.0" }')
    scanner.plug(port=0)
    fixed.plug(port=2)
    bench.expect_device("free", "reading")
    bench.expect_device("bound", "reading")
    link = "/dev/stockgate/by-path/tty-platform-dummy_hcd_2-usb-0_1_1_0"
    bench.run(f"test -c {link}")

    scanner.unplug()
    fixed.unplug()
    bench.expect_device("free", "absent")
    bench.expect_device("bound", "absent")
    fixed.plug(port=3)
    scanner.plug(port=4)
    bench.expect_device("free", "reading")
    scanner.scan("MOVED-1")
    bench.expect_scan("MOVED-1")
    bench.expect(bench.devices()["bound"]["state"] == "absent", "a device bound to a port was taken on another one")

    fixed.unplug()
    fixed.plug(port=2)
    bench.expect_device("bound", "reading")
    fixed.scan("BACK-1")
    bench.expect_scan("BACK-1")
    return "followed by its make to another port; the one bound to a port waits for that port"
