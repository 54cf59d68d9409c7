"""An older package with data is upgraded, and a kept ledger of schema 1 is taken over: each goes on in its chain."""


def story(lab):
    bench = lab.fresh()
    bench.install("older.deb")
    scanner = bench.reading_scanner()
    scanner.scan("OLD-1")
    bench.expect_scan("OLD-1")
    before = bench.run("dpkg-query --show --showformat='${Version}' stockgate")
    schema = bench.run("sqlite3 /var/lib/stockgate/events.db 'PRAGMA user_version'").strip()
    pid = bench.pid()

    bench.install()
    after = bench.run("dpkg-query --show --showformat='${Version}' stockgate")
    bench.until("the gateway was started again", lambda: bench.pid() not in (0, pid), 60)
    bench.expect_device("scanner", "reading")
    scanner.scan("NEW-1")
    bench.expect_scan("NEW-1")
    bench.expect(bench.codes() == ["OLD-1", "NEW-1"], f"the ledger has {bench.codes()}")
    bench.expect_clean_ledger()

    bench.run(
        "systemctl stop stockgated.service && rm -f /var/lib/stockgate/*.db* && sqlite3 /var/lib/stockgate/events.db < /lab/stored.sql"
        " && chown stockgate:stockgate /var/lib/stockgate/events.db && systemctl start stockgated.service", timeout=120)
    bench.expect_device("scanner", "reading")
    scanner.scan("STORED-6")
    bench.seen = 0
    bench.expect_scan("STORED-6")
    bench.expect(bench.codes() == [f"STORED-{number}" for number in range(1, 7)], f"the stored ledger has {bench.codes()}")
    bench.expect_clean_ledger()

    bench.run("dpkg --remove stockgate", timeout=120)
    kept = bench.run("ls /var/lib/stockgate/events.db /etc/stockgate/site.toml").split()
    bench.run("dpkg --purge stockgate", timeout=120)
    bench.run("test ! -e /var/lib/stockgate && test ! -e /etc/stockgate/site.toml")
    return f"{before} with a store of schema {schema} to {after}: ledger goes on in one chain, a stored one of schema 1 too; removal keeps {len(kept)} of 2 (ledger, site file), purge takes both"
