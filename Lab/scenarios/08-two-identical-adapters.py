"""Two adapters that differ in nothing but their port keep their names, in whatever order they are plugged in."""


def device(name, port):
    return f'name = "{name}"\nprofile = "generic/serial-scanner"\nmatch = {{ SUBSYSTEM = "tty", ID_PATH = "*-usb-0:{port}:1.0" }}'


def story(lab):
    bench = lab.installed()
    bench.bench_with(device("left", 1), device("right", 2))
    lines = {name: lab.line(bench, name) for name in ["left", "right"]}
    seen = []
    for order in [[("left", 1), ("right", 2)], [("right", 2), ("left", 1)]]:
        for name, port in order:
            if lines[name].plugged:
                bench.replug(name, port)
            else:
                lines[name].plug(port)
            bench.expect_device(name, "reading")
        nodes = {name: bench.devices()[name]["port"] for name in lines}
        for name in lines:
            lines[name].send(f"{name.upper()}-{len(seen)}\r".encode())
            bench.expect_scan(f"{name.upper()}-{len(seen)}")
            device_of = [event for event in bench.events() if event["data"].get("code") == f"{name.upper()}-{len(seen)}"]
            bench.expect(len(device_of) == 1, f"{name} was read {len(device_of)} times")
            bench.expect(bench.devices()[name]["readings"] == len(seen) + 1, f"the code of {name} was read by the other one")
        seen.append(nodes)
        for name, _ in order:
            bench.pull(name)
            bench.expect_device(name, "absent")
    bench.expect(seen[0] != seen[1], f"the nodes did not change places: {seen}")
    return f"left was {seen[0]['left']}, then {seen[1]['left']}; each code came from its own side"
