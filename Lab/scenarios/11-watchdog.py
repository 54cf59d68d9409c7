"""The gateway hangs: systemd's watchdog ends it and starts it again, and what was scanned before is there."""


def story(lab):
    bench = lab.installed()
    scanner = bench.reading_scanner()
    scanner.scan("BEFORE-1")
    bench.expect_scan("BEFORE-1")

    pid = bench.pid()
    bench.run(f"kill -STOP {pid}")
    bench.until("another process", lambda: bench.pid() not in (0, pid), 90)
    bench.until("the unit is active", lambda: bench.property("ActiveState") == "active", 60)
    bench.expect("Watchdog timeout" in bench.journal(), "it was not the watchdog")
    bench.expect_device("scanner", "reading")
    scanner.scan("AFTER-1")
    bench.expect_scan("AFTER-1")
    bench.expect(bench.codes() == ["BEFORE-1", "AFTER-1"], f"the ledger has {bench.codes()}")
    bench.expect_clean_ledger()
    return f"stopped with SIGSTOP, ended by the watchdog within {bench.property('WatchdogUSec')}, reads again"
