"""The machine starts with a clock of 1970 and learns the time later: events say which times can be trusted, and keep their order."""

import json
import time


def story(lab):
    bench = lab.cold(rtc="1970-01-02T00:00:00")
    year = bench.run("date +%Y").strip()
    bench.until("the unit is active", lambda: bench.property("ActiveState") == "active", 120)
    # systemd moves a clock before its own release forward to that; a clock of 1970 is put before the gateway all the same.
    bench.run("systemctl stop stockgated.service; date --set=@90000")
    scanner = bench.reading_scanner()
    scanner.scan("EARLY-1")
    early = bench.expect_scan("EARLY-1")
    bench.expect(early["clock"] == "unknown" and early["time"].startswith("1970"), f"{early['time']} is called {early['clock']}")

    bench.run(f"date --set=@{int(time.time())}")
    # The gateway looks at the clock once a second.
    bench.until("the gateway knows the time", lambda: json.loads(bench.run("stockgate status --json"))["status"]["clock"] != "unknown")
    scanner.scan("LATE-1")
    late = bench.expect_scan("LATE-1")
    bench.expect(late["clock"] != "unknown" and late["time"][:4] == time.strftime("%Y"), f"{late['time']} is called {late['clock']}")
    bench.expect(late["seq"] > early["seq"], "the events changed their order")
    bench.expect_device("scanner", "reading")
    bench.expect_clean_ledger()
    return f"booted in {year}; an event of {early['time'][:10]} says clock {early['clock']}, one after setting the clock {late['clock']}; same process, chain clean"
