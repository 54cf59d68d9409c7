"""A good site file is taken over while scans go on; a broken one changes nothing."""

from lab.bench import SITE

BENCH = '\n[[station]]\nname = "bench"\nkind = "putaway"\nscanners = [{}]\n'
ONE = '\n[[device]]\nname = "one"\nprofile = "zebra/cdc-scanner"\n'
TWO = '\n[[device]]\nname = "two"\nprofile = "generic/serial-scanner"\nmatch = { SUBSYSTEM = "tty", ID_VENDOR_ID = "0c2e" }\n'


def story(lab):
    bench = lab.installed()
    one = bench.scanner("one", kind="cdc", vendor="05e0", product="1701")
    two = bench.scanner("two", kind="cdc", vendor="0c2e", product="0b6a")
    bench.site(ONE + BENCH.format('"one"'))
    one.plug(port=0)
    two.plug(port=1)
    bench.expect_device("one", "reading")
    pid = bench.pid()

    bench.machine.write("/etc/stockgate/site.toml", SITE + ONE + TWO + BENCH.format('"one", "two"'))
    bench.run("systemctl reload stockgated.service")
    bench.expect_device("two", "reading")
    two.scan("GOOD-2")
    bench.expect_scan("GOOD-2")
    one.scan("GOOD-1")
    bench.expect_scan("GOOD-1")

    bench.machine.write("/etc/stockgate/site.toml", SITE + ONE + TWO + BENCH.format('"one", "three"') + "colour = 1\n")
    bench.run("systemctl reload stockgated.service", check=False)
    said = bench.until("the log says what is wrong", lambda: [line for line in bench.journal().splitlines() if "site.toml" in line])
    two.scan("STILL-2")
    bench.expect_scan("STILL-2")
    bench.expect(bench.pid() == pid and bench.property("ActiveState") == "active", "the gateway did not stay the same process")
    return f"a second scanner was taken in by systemctl reload; a broken file was refused ({len(said)} problems logged), same process, both read on"
