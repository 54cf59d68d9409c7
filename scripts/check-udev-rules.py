"""Checks the grammar of udev rules where `udevadm verify` (systemd 254) is missing: udev(7), section RULES FILES."""

import re
import sys

MATCH_KEYS = {
    "ACTION", "DEVPATH", "KERNEL", "KERNELS", "NAME", "SYMLINK", "SUBSYSTEM", "SUBSYSTEMS", "DRIVER", "DRIVERS", "ATTR", "ATTRS", "SYSCTL",
    "ENV", "CONST", "TAG", "TAGS", "TEST", "PROGRAM", "RESULT",
}
ASSIGN_KEYS = {
    "NAME", "SYMLINK", "OWNER", "GROUP", "MODE", "SECLABEL", "ATTR", "SYSCTL", "ENV", "TAG", "RUN", "LABEL", "GOTO", "IMPORT", "OPTIONS",
}
TERM = re.compile(r'\s*([A-Z]+)(?:\{([^}]*)\})?\s*(==|!=|\+=|-=|:=|=)\s*(e?"(?:[^"\\]|\\.)*")\s*(,|$)')


def check(path: str) -> list[str]:
    problems, labels, gotos = [], set(), []
    text = open(path, encoding="utf-8").read()
    logical = re.sub(r"\\\n", lambda match: " ", text)
    for number, line in enumerate(logical.split("\n"), 1):
        line = line.strip()
        if not line or line.startswith("#"):
            continue
        position = 0
        while position < len(line):
            term = TERM.match(line, position)
            if not term:
                problems.append(f"{path}:{number}: not a rule: {line[position:position + 40]}")
                break
            key, _, operator, value, _ = term.groups()
            allowed = MATCH_KEYS if operator in ("==", "!=") else ASSIGN_KEYS
            if key not in allowed:
                problems.append(f"{path}:{number}: {key} cannot stand with {operator}")
            if key == "LABEL":
                labels.add(value)
            if key == "GOTO":
                gotos.append((number, value))
            if key == "MODE" and not re.fullmatch(r'"0?[0-7]{3,4}"', value):
                problems.append(f"{path}:{number}: MODE must be octal")
            position = term.end()
    problems += [f"{path}:{number}: GOTO {value} has no LABEL" for number, value in gotos if value not in labels]
    return problems


found = [problem for path in sys.argv[1:] for problem in check(path)]
print("\n".join(found) if found else f"udev rules: {len(sys.argv) - 1} file(s) clean")
sys.exit(1 if found else 0)
