"""The table."""

import sys
import textwrap
import time


class Report:
    def __init__(self):
        self.started = time.monotonic()
        self.rows = []
        # Name, reason and the gateway's last words.
        self.failures = []

    def prepared(self):
        print(f"prepared in {time.monotonic() - self.started:.0f} s", flush=True)

    def begin(self, name):
        if sys.stdout.isatty():
            print(f"{name} …", end="\r", flush=True)

    def passed(self, name, shown, seconds):
        self.add(name, "ok", shown, seconds)

    def failed(self, name, reason, seconds, journal):
        self.failures.append((name, reason, journal))
        self.add(name, "FAILED", reason, seconds)
        if journal:
            print(textwrap.indent(journal.rstrip(), "    | "), flush=True)

    def add(self, name, outcome, shown, seconds):
        self.rows.append((name, outcome, shown, seconds))
        print(f"{name:22} {outcome:6} {seconds:5.0f} s  {shown}", flush=True)

    def end(self):
        """Prints everything once more, for whoever reads only the end; returns the exit code."""
        print()
        width = max((len(row[0]) for row in self.rows), default=8)
        print(f"{'scenario':{width}}  {'':6}  {'time':>6}  what was shown")
        for name, outcome, shown, seconds in self.rows:
            head, *more = textwrap.wrap(shown, 110) or [""]
            print(f"{name:{width}}  {outcome:6}  {seconds:4.0f} s  {head}")
            for line in more:
                print(" " * (width + 18) + line)
        for name, reason, journal in self.failures:
            print(f"\n{name} FAILED: {reason}")
            print(textwrap.indent("\n".join(journal.rstrip().splitlines()[-10:]), "    | "))
        minutes, seconds = divmod(int(time.monotonic() - self.started), 60)
        print(f"{len(self.rows)} scenarios, {len(self.failures)} failed, {minutes} min {seconds:02d} s")
        return 1 if self.failures else 0
