"""The machine restarts: the gateway comes up by itself, with its ledger, and finds its scanner."""


def story(lab):
    bench = lab.installed()
    description = dict(kind="cdc", vendor="05e0", product="1701", serial="S1")
    scanner = bench.scanner("zebra", **description)
    bench.bench_with('name = "scanner"\nprofile = "zebra/cdc-scanner"')
    scanner.plug(port=0)
    bench.expect_device("scanner", "reading")
    scanner.scan("BEFORE-1")
    bench.expect_scan("BEFORE-1")

    bench.run("systemctl --no-block reboot")
    bench.machine.await_end()
    bench = lab.again(bench)
    scanner = bench.scanner("zebra", **description)
    scanner.plug(port=0)
    bench.until("the unit is active", lambda: bench.property("ActiveState") == "active", 120)
    bench.expect_device("scanner", "reading")
    scanner.scan("AFTER-1")
    bench.expect_scan("AFTER-1", seconds=60)
    bench.expect(bench.codes() == ["BEFORE-1", "AFTER-1"], f"the ledger has {bench.codes()}")
    bench.expect_clean_ledger()
    restarts = bench.property("NRestarts")
    return f"started at boot ({restarts} restarts), scanner found, ledger goes on in one chain"
