"""Nodes of scanners are for the gateway's group alone, and the gateway reaches nothing beyond its devices."""


def story(lab):
    bench = lab.installed()
    devices = {
        "cdc": dict(kind="cdc", vendor="05e0", product="1701"), "keys": dict(kind="keyboard", vendor="05f9", product="2206"),
        "pos": dict(kind="pos", vendor="0c2e", product="0b81"),
    }
    bench.bench_with(
        'name = "cdc"\nprofile = "zebra/cdc-scanner"',
        'name = "keys"\nprofile = "generic/keyboard-wedge"\nmatch = { ID_VENDOR_ID = "05f9", ID_INPUT_KEYBOARD = "1" }',
        'name = "pos"\nprofile = "honeywell/hid-pos"')
    for port, (name, description) in enumerate(devices.items()):
        bench.scanner(name, **description).plug(port)
    nodes = [bench.expect_device(name, "reading")["port"] for name in devices]
    for node in nodes:
        owner = bench.run(f"stat -L -c '%U:%G %a' {node}").strip()
        bench.expect(owner == "root:stockgate 660", f"{node} is {owner}")
        bench.run(f"setpriv --reuid=nobody --regid=nogroup --clear-groups sh -c ': < {node}'", check=False)
        bench.expect(bench.machine.status != 0, f"anybody can open {node}")
    # From inside: the same user, groups, devices and files as the gateway, by the unit's own settings.
    inside = f"nsenter --target {bench.pid()} --mount --user --setuid $(id -u stockgate) --setgid $(id -g stockgate)"
    held = bench.run(f"ls -l /proc/{bench.pid()}/fd")
    bench.expect(all(node in held for node in nodes), "the gateway does not hold its devices open")
    for path in ["/etc/stockgate/new", "/usr/new", "/home/new", "/root/new"]:
        bench.run(f"{inside} touch {path}", check=False)
        bench.expect(bench.machine.status != 0, f"the gateway can write {path}")
    bench.run(f"{inside} cat /etc/shadow", check=False)
    bench.expect(bench.machine.status != 0, "the gateway can read /etc/shadow")
    listed = bench.property("DeviceAllow")
    bench.expect(bench.property("DevicePolicy") == "closed", "the unit may open any device")
    return f"{', '.join(nodes)} are root:stockgate 660 and closed to others; writes to /etc, /usr, /home refused; DeviceAllow: {' '.join(listed.split()[::2])}"
