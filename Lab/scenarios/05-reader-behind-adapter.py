"""A UHF reader with protocol A0 behind an FTDI adapter reads a tool that goes out of the gate."""

from lab.machine import Failure

GATE = """
[[device]]
name = "reader"
profile = "r2000/a0-uhf"
match = { SUBSYSTEM = "tty", ID_VENDOR_ID = "0403" }

[[station]]
name = "gate"
kind = "gate"
antenna = [{ device = "reader", port = 1, side = "inside" }, { device = "reader", port = 2, side = "outside" }]
"""

TOOL = "3476451FD4000000000003E9"


def story(lab):
    bench = lab.installed()
    bench.site(GATE)
    reader = lab.simulator("a0")
    bench.adapter("reader", {"type": "serial", "data": {"device": reader.address}}, port=1)
    bench.expect_device("reader", "reading", port="/dev/ttyUSB")
    reads = lambda: bench.devices()["reader"]["readings"]

    # How slowly the tag goes is up to the machine, and a gate is right to doubt what hardly moves: one walk of a few must be heard.
    for walk in range(4):
        reader.tell(f"tag {TOOL} 1")
        before = reads()
        bench.until("the inner antenna reads the tool", lambda: reads() > before + 8)
        reader.tell(f"remove {TOOL}", f"tag {TOOL} 2")
        before = reads()
        bench.until("the outer antenna reads the tool", lambda: reads() > before + 8)
        reader.tell(f"remove {TOOL}")
        try:
            event = bench.expect_event("exception.raised", seconds=12, kind="unknown_tag", direction="out", epcs=[TOOL])
            break
        except Failure:
            if walk == 3:
                raise
    total = reads()

    bench.pull("reader")
    bench.expect_device("reader", "absent")
    bench.replug("reader", port=2)
    bench.expect_device("reader", "reading")
    latency = bench.run("cat /sys/bus/usb-serial/devices/ttyUSB*/latency_timer").strip()
    return f"session with the reader opened, {total} reads of a tag that went {event['data']['direction']}; reads again after replugging; latency timer {latency} ms"
