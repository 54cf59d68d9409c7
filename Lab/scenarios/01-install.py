"""The package is installed as a user would, and the gateway runs at once, unprivileged and under all of its hardening."""

from lab.machine import Failure


def story(lab):
    bench = lab.fresh()
    bench.install()
    pid = bench.pid()
    status = dict(line.split(":\t", 1) for line in bench.run(f"cat /proc/{pid}/status").splitlines() if ":\t" in line)
    user = status["Uid"].split()[0]
    if bench.run(f"id -nu {user}").strip() != "stockgate":
        raise Failure(f"the gateway runs as {user}")
    if status["CapEff"].strip("0") or status["CapBnd"].strip("0"):
        raise Failure(f"the gateway has capabilities {status['CapEff']}, could have {status['CapBnd']}")
    if status["NoNewPrivs"] != "1" or status["Seccomp"] != "2":
        raise Failure("the unit's hardening is not on")
    # A user name space of its own knows root, the gateway's user and nobody; the groups of the devices are the kernel's business.
    spaces = bench.run(f"cat /proc/{pid}/uid_map").split("\n")
    own = bench.run(f"readlink /proc/{pid}/ns/user") != bench.run("readlink /proc/1/ns/user")
    if bench.property("PrivateUsers") != "yes" or not own:
        raise Failure("PrivateUsers is not in force on the running unit")
    groups = {bench.run(f"getent group {name}").split(":")[2] for name in ["dialout", "input"]}
    if not groups <= set(status["Groups"].split()):
        raise Failure(f"the gateway is not in the groups of its devices: {status['Groups']}")
    score = bench.run("systemd-analyze security --no-pager stockgated.service | tail -n 1").strip()
    bench.run("stockgate status")
    complaints = [line for line in bench.journal().splitlines() if "ailed" in line or "error" in line]
    bench.expect(not complaints, f"the log begins with complaints: {complaints[:3]}")
    lab.lab.keep(bench.machine)
    return f"dpkg -i, active at once; no capabilities, seccomp, PrivateUsers ({len(spaces) - 1} ids mapped) beside dialout and input; {score.split('for ')[-1]}"
