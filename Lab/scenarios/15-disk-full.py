"""The disk fills up and is emptied again: nothing acknowledged is lost, refusals are visible, and the gateway goes on by itself."""

import json


def story(lab):
    bench = lab.installed()
    # A small disk of its own, so that the rest of the machine keeps its room.
    bench.run(
        "systemctl stop stockgated.service && truncate -s 24M /root/small.img && mke2fs -q -t ext4 -m 0 /root/small.img"
        " && cp -a /var/lib/stockgate /root/before && mount -o loop /root/small.img /var/lib/stockgate"
        " && rmdir /var/lib/stockgate/lost+found && cp -a /root/before/. /var/lib/stockgate/")
    scanner = bench.reading_scanner()
    scanner.scan("ROOM-1")
    bench.expect_scan("ROOM-1")

    follow = bench.machine.follow("stockgate events --follow --json --limit 1000 --after 0")
    bench.run("dd if=/dev/zero of=/var/lib/stockgate/filler bs=64k", check=False)
    # More than there is time for: it scans until the end.
    scanner.burst("FULL-%05d", count=30_000, pause=0.01)
    said = bench.until("the gateway says that the disk is full", lambda: bench.refusals(), 90)
    reason = bench.until("the station says that it has stopped", lambda: bench.station("bench")["state"] == "stopped" and bench.station("bench")["reason"], 60)
    pid = bench.pid()

    bench.run("rm /var/lib/stockgate/filler")
    # A reader of the log may be sent away while the file cannot be read; it goes on after the last event that it has.
    newest = max(json.loads(line).get("seq", 0) for line in follow.lines())
    again = bench.machine.follow(f"stockgate events --follow --json --limit 1000 --after {newest}")
    bench.until("scans are taken again", lambda: len(again.lines()) > 20, 90)
    bench.expect(bench.pid() == pid, "the gateway was started again")
    acknowledged = {*bench.codes_in(follow.lines()), *bench.codes_in(again.lines())}
    ledger = bench.expect_clean_ledger()
    bench.expect(not ledger.lost(acknowledged), f"lost: {ledger.lost(acknowledged)[:5]}")
    bench.expect(not ledger.doubled(), f"doubled: {ledger.doubled()[:5]}")
    return f"{len(acknowledged)} acknowledged scans before, amid and after a full disk, none lost; the station stopped visibly ({reason[:80]}), {len(said)} refusals logged; went on without a restart"
