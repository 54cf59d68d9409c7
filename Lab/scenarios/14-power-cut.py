"""The power goes at twenty random moments while scans are committed: nothing that was acknowledged is lost or doubled.

A machine that scans is frozen once; for each cut a copy of it goes on and is killed at a random moment. Another machine mounts its disk,
lets ext4 and SQLite recover it, and compares; on every fifth one it starts the gateway first. The control makes fsync do nothing, and must
lose something.
"""

import concurrent.futures
import os
import random
import time

from lab.machine import Failure

CUTS = 20
CONTROLS = 2
STARTED = 5
DROP_IN = (
    "mkdir -p /run/systemd/system/stockgated.service.d && cp /run/lab.conf /run/systemd/system/stockgated.service.d/ && systemctl daemon-reload")
NO_SYNC = "[Service]\nEnvironment=LD_PRELOAD=libeatmydata.so\n"


def story(lab):
    seed = int(os.environ.get("LAB_SEED") or random.randrange(1 << 32))
    moments = random.Random(seed)
    bench = lab.installed("-bench")
    bench.bench_with('name = "scanner"\nprofile = "zebra/cdc-scanner"')
    bench.scanner("zebra", kind="cdc", vendor="05e0", product="1701").plug(port=0)
    bench.expect_device("scanner", "reading")
    bench.run("sync")
    ready = lab.freeze(bench)

    judge = lab.installed("-judge")
    # Emulation beside other work takes its time.
    judge.machine.write("/run/lab.conf", "[Service]\nTimeoutStartSec=300\n")
    judge.run(f"systemctl stop stockgated.service; {DROP_IN}", timeout=120)
    judge.site("", start=False)
    counts, lost, doubled = [], 0, 0
    # One machine scans while the disk of the one before is looked at.
    with concurrent.futures.ThreadPoolExecutor(1) as court:
        cases = []
        for cut in range(CUTS):
            machine, acknowledged = scanned(lab, ready, f"-{cut}", seconds=moments.uniform(0.2, 2.5))
            cases.append((acknowledged, court.submit(judged, judge, machine, cut, is_started=cut % STARTED == 0)))
            for _, case in cases:
                # A failure ends the story at once.
                if case.done():
                    case.result()
        for cut, (acknowledged, case) in enumerate(cases):
            ledger = case.result()
            judge.expect(not ledger.faults, f"seed {seed}, cut {cut}: {'; '.join(ledger.faults[:3])}")
            lost += len(ledger.lost(acknowledged))
            doubled += len(ledger.doubled())
            counts.append(len(acknowledged))
    judge.expect(lost == 0 and doubled == 0, f"seed {seed}: {lost} acknowledged events lost, {doubled} doubled")
    judge.expect(min(counts) > 0, f"seed {seed}: a cut came before anything was acknowledged")

    missed = 0
    for cut in range(CONTROLS):
        machine, acknowledged = scanned(lab, ready, f"-control-{cut}", seconds=2, drop_in=NO_SYNC)
        missed += len(judged(judge, machine, CUTS + cut).lost(acknowledged))
    judge.expect(missed > 0, "without fsync nothing was lost: this scenario cannot see a loss")
    return (
        f"{CUTS} cuts amid {sum(counts)} acknowledged scans (seed {seed}): none lost, none doubled, integrity and chain clean, the gateway "
        f"started on {len(range(0, CUTS, STARTED))} of them; control: with fsync made void {CONTROLS} cuts lost {missed}")


def scanned(lab, ready, suffix, seconds, drop_in=None):
    """A copy of the frozen machine scans and loses its power; what it had acknowledged to the outside by then."""
    bench = lab.thawed(ready, suffix)
    if drop_in:
        bench.machine.write("/run/lab.conf", drop_in)
        bench.run(f"{DROP_IN} && systemctl restart stockgated.service", timeout=300)
        bench.expect_device("scanner", "reading")
    follow = bench.machine.follow("stockgate events --follow --json --limit 1000 --after 0")
    bench.scanner("zebra", kind="cdc", vendor="05e0", product="1701").burst("CUT-%05d", count=2000, pause=0.01)
    bench.until("the first scan is acknowledged", lambda: bench.codes_in(follow.lines()))
    time.sleep(seconds)
    # In this order: what was told by now, was told before the cut.
    told = bench.codes_in(follow.lines())
    bench.machine.cut()
    return bench.machine, told


def judged(judge, machine, number, is_started=False):
    """The disk of the machine that lost its power, as the next start finds it."""
    name = f"cut{number}"
    judge.machine.steer(
        "blockdev-add", **{"node-name": name, "driver": "qcow2", "file": {"driver": "file", "filename": f"{machine.folder}/disk.qcow2"}})
    judge.machine.steer("device_add", driver="virtio-blk-pci", id=f"{name}-device", drive=name, serial=name)
    disk = f"/dev/disk/by-id/virtio-{name}"
    judge.until("the disk is there", lambda: judge.run(f"test -b {disk} && echo there", check=False))
    judge.run(f"mkdir -p /mnt/cut && mount {disk} /mnt/cut && mount --bind /mnt/cut/var/lib/stockgate /var/lib/stockgate")
    try:
        if is_started:
            judge.run("systemctl reset-failed stockgated.service; systemctl start stockgated.service && stockgate status", timeout=320)
            judge.run("systemctl stop stockgated.service", timeout=120)
        return judge.ledger()
    except Failure as failure:
        raise Failure(f"cut {number}: {failure}")
    finally:
        judge.run("umount /var/lib/stockgate /mnt/cut", timeout=60)
        judge.machine.steer("device_del", id=f"{name}-device")
