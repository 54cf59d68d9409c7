"""A HID point-of-sale scanner is known by its report descriptor and read by its hidraw node."""


def story(lab):
    bench = lab.installed()
    scanner = bench.scanner("pos", kind="pos", vendor="05e0", product="1300", serial="P1")
    bench.bench_with('name = "pos"\nprofile = "zebra/hid-pos"')
    scanner.plug(port=0)
    node = bench.expect_device("pos", "reading", port="/dev/hidraw")["port"]
    scanner.scan("POS-1")
    bench.expect_scan("POS-1")
    long = "L" * 60
    scanner.scan(long)
    bench.expect_scan(long)
    mode = bench.run(f"stat -c '%U:%G %a' {node}").strip()
    bench.expect(mode == "root:stockgate 660", f"{node} belongs to {mode}")
    return f"found by its usage page 8C, a code of two reports joined; {node} is {mode}"
