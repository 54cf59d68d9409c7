"""The gateway is killed while scans come in: everything it had acknowledged is there, and it reads on."""


def story(lab):
    bench = lab.installed()
    scanner = bench.reading_scanner()
    acknowledged = []
    for kill in range(3):
        follow = bench.machine.follow("stockgate events --follow --json --limit 1000 --after 0")
        scanner.burst(f"KILL-{kill}-%04d", count=200, pause=0.02)
        told = lambda: bench.codes_in(follow.lines())
        bench.until("thirty scans are acknowledged", lambda: len([code for code in told() if code.startswith(f"KILL-{kill}")]) > 30)
        bench.run("systemctl kill --signal=KILL stockgated.service")
        acknowledged += [code for code in told() if code not in acknowledged]
        bench.until("the gateway is back", lambda: bench.run("stockgate status"), 60)
        bench.expect_device("scanner", "reading")
    ledger = bench.expect_clean_ledger()
    bench.expect(not ledger.lost(acknowledged), f"lost: {ledger.lost(acknowledged)[:5]}")
    bench.expect(not ledger.doubled(), f"doubled: {ledger.doubled()[:5]}")
    scanner.scan("ALIVE-1")
    bench.expect_scan("ALIVE-1")
    return f"killed 3 times amid scans; {len(acknowledged)} acknowledged, none lost, none doubled, integrity and chain clean"
