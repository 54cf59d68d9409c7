#!/usr/bin/env python3
"""Holds one thread of a process still, as a disk that does not answer would: ptrace(2) on Linux.

    hold_thread.py PID NAME

Prints "held" when the thread of that name (/proc/PID/task/*/comm) has stopped, and lets it go when standard input ends. Ends with
status 1 and a reason when it may not.
"""

import ctypes
import os
import sys

PTRACE_DETACH, PTRACE_SEIZE, PTRACE_INTERRUPT = 17, 0x4206, 0x4207
WALL = 0x40000000


def main():
    process, name = sys.argv[1:]
    found, names = [], []
    for thread in os.listdir(f"/proc/{process}/task"):
        with open(f"/proc/{process}/task/{thread}/comm", encoding="utf-8") as file:
            names.append(file.read().strip())
            if names[-1] == name:
                found.append(int(thread))
    if len(found) != 1:
        sys.exit(f"{len(found)} threads of process {process} are called {name}, but {names}")
    libc = ctypes.CDLL(None, use_errno=True)
    libc.ptrace.argtypes = [ctypes.c_long, ctypes.c_long, ctypes.c_void_p, ctypes.c_void_p]
    libc.ptrace.restype = ctypes.c_long
    for request in (PTRACE_SEIZE, PTRACE_INTERRUPT):
        if libc.ptrace(request, found[0], None, None) != 0:
            sys.exit(f"ptrace: {os.strerror(ctypes.get_errno())}")
    os.waitpid(found[0], WALL)
    print("held", flush=True)
    sys.stdin.read()
    libc.ptrace(PTRACE_DETACH, found[0], None, None)


if __name__ == "__main__":
    main()
