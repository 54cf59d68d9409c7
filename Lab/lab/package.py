"""The package before this one."""

import os
import re
import subprocess
import tempfile


def older(deb, path):
    """The same content as version 0.0.9, which the package under test supersedes, as long as no release is there to start from."""
    with tempfile.TemporaryDirectory() as folder:
        os.chmod(folder, 0o755)
        subprocess.run(["dpkg-deb", "--raw-extract", deb, f"{folder}/tree"], check=True, capture_output=True)
        control = f"{folder}/tree/DEBIAN/control"
        with open(control) as file:
            text = file.read()
        with open(control, "w") as file:
            file.write(re.sub(r"(?m)^Version: .*$", "Version: 0.0.9", text))
        subprocess.run(["dpkg-deb", "--root-owner-group", "-Zgzip", "-z1", "--build", f"{folder}/tree", path], check=True, capture_output=True)
    return path
