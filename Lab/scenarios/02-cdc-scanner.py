"""A scanner with a serial line over USB: there before the gateway starts, and plugged in while it runs."""


def story(lab):
    bench = lab.installed()
    cold = bench.scanner("zebra", kind="cdc", vendor="05e0", product="1701", serial="SN001")
    hot = bench.scanner("honeywell", kind="cdc", vendor="0c2e", product="0b6a", serial="SN002")

    cold.plug(port=0)
    bench.until("udev knows the scanner", lambda: bench.run("test -e /dev/serial/by-id/usb-Lab_Scanner_SN001-if00; echo $?") == "0\n")
    bench.bench_with(
        'name = "first"\nprofile = "zebra/cdc-scanner"',
        'name = "second"\nprofile = "generic/serial-scanner"\nmatch = { SUBSYSTEM = "tty", ID_VENDOR_ID = "0c2e" }')
    bench.expect_device("first", "reading", port="ttyACM")
    bench.expect_device("second", "absent")
    cold.scan("COLD-1")
    bench.expect_scan("COLD-1")

    hot.plug(port=1)
    bench.expect_device("second", "reading", port="ttyACM")
    hot.scan("HOT-1")
    bench.expect_scan("HOT-1")

    hot.unplug()
    bench.expect_device("second", "absent")
    cold.scan("COLD-2")
    bench.expect_scan("COLD-2")
    return "found by its profile at start; another one on plugging in; absent after unplugging, the first reads on"
