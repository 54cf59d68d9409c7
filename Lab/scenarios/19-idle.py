"""Eight scanners are plugged in and nobody scans: how often the gateway wakes up, and what it costs."""

SECONDS = 20


def story(lab):
    bench = lab.installed()
    bench.run("systemctl stop ModemManager.service brltty.service", check=False, timeout=60)
    names = [f"scanner-{number}" for number in range(8)]
    bench.bench_with(*(
        f'name = "{name}"\nprofile = "zebra/cdc-scanner"\nmatch = {{ SUBSYSTEM = "tty", ID_PATH = "platform-dummy_hcd.{port}-usb-0:1:1.0" }}'
        for port, name in enumerate(names)))
    for port, name in enumerate(names):
        bench.scanner(name, kind="cdc", vendor="05e0", product="1701").plug(port)
    bench.until("all eight are read", lambda: all(bench.devices()[name]["state"] == "reading" for name in names), 60)
    pid = bench.pid()
    count = f"cat /proc/{pid}/task/*/status | awk '/^voluntary_ctxt_switches/ {{ n += $2 }} END {{ print n }}'; awk '{{ print $14 + $15 }}' /proc/{pid}/stat"
    # A measure over a time, not a wait for something.
    lines = bench.run(f"{{ {count}; }}; sleep {SECONDS}; {{ {count}; }}", timeout=90).split()
    wakes = (int(lines[2]) - int(lines[0])) / SECONDS
    ticks = int(bench.run("getconf CLK_TCK"))
    share = (int(lines[3]) - int(lines[1])) / ticks / SECONDS * 100
    memory = int(bench.property("MemoryCurrent")) / 1_048_576
    bench.expect(wakes < 50, f"{wakes:.1f} wake-ups a second")
    return f"8 devices, nobody scans: {wakes:.1f} wake-ups/s, {share:.2f} % of a core under emulation, {memory:.0f} MB"
