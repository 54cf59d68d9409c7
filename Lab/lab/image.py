"""The machine's disk: Debian of the host's own release with the kernel's real USB drivers, made once and kept outside the tree."""

import glob
import hashlib
import os
import shutil
import subprocess
import tempfile

HERE = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))

# What the lab itself needs, what the package depends on (it is installed with dpkg, which fetches nothing), and the two programs that
# are known for taking serial ports away from others.
PACKAGES = """
systemd systemd-sysv udev dbus kmod linux-image-amd64 initramfs-tools python3-minimal e2fsprogs sqlite3 tzdata procps libeatmydata1 login
libpython3-stdlib adduser
libudev1 libmodbus5 libsqlite3-0 libmosquitto1 libpq5 libssl3 libcurl4 zlib1g libstdc++6 libgcc-s1
modemmanager brltty
""".split()

TOOLS = {"qemu-system-x86_64": "qemu-system-x86", "qemu-img": "qemu-utils", "mmdebstrap": "mmdebstrap", "mke2fs": "e2fsprogs"}


class Skipped(Exception):
    """There is no way to run the lab on this machine."""


def need_tools():
    """Installs what is missing where that is allowed."""
    if os.uname().machine != "x86_64":
        raise Skipped("its machines are amd64, as the package must be")
    if missing := sorted({package for tool, package in TOOLS.items() if not shutil.which(tool)}):
        done = subprocess.run([os.path.join(HERE, "install"), *missing], capture_output=True, text=True)
        if done.returncode != 0:
            raise Skipped(f"{', '.join(missing)} cannot be installed: {last_line(done.stderr)}")
    if still := [tool for tool in TOOLS if not shutil.which(tool)]:
        raise Skipped(f"{', '.join(still)} cannot be found")
    if os.geteuid() != 0 and not shutil.which("fakeroot"):
        raise Skipped("the disk is made as root, or with the package fakeroot")


def last_line(text):
    return (text.strip().splitlines() or ["no reason given"])[-1]


def suite():
    with open("/etc/os-release") as file:
        values = dict(line.rstrip().split("=", 1) for line in file if "=" in line)
    if values.get("ID") != "debian" or "VERSION_CODENAME" not in values:
        raise Skipped("the package is built for Debian, and this is none")
    return values["VERSION_CODENAME"]


class Image:
    """The disk of a new machine, its kernel, and a second disk with the package and the agent."""

    def __init__(self, folder, files):
        """`files`: what the machine finds below /lab, by name."""
        self.append = ""
        cache = os.environ.get("XDG_CACHE_HOME") or os.path.expanduser("~/.cache")
        with open(f"{HERE}/guest/customize.sh", "rb") as file:
            recipe = " ".join([suite(), *PACKAGES]).encode() + file.read()
        self.cache = f"{cache}/stockgate-lab/{hashlib.sha256(recipe).hexdigest()[:16]}"
        self.base = f"{self.cache}/base.img"
        self.isNew = not os.path.exists(self.base)
        if self.isNew:
            self.build()
        self.kernel = glob.glob(f"{self.cache}/boot/vmlinuz-*")[0]
        self.initrd = glob.glob(f"{self.cache}/boot/initrd.img-*")[0]
        self.media = f"{folder}/media.img"
        if os.path.exists(self.media):
            # Of a folder that was kept: frozen machines know this disk.
            return
        with tempfile.TemporaryDirectory() as staging:
            for name, path in files.items():
                shutil.copy(path, f"{staging}/{name}")
            os.chmod(staging, 0o755)
            size = 16 + sum(os.path.getsize(path) for path in files.values()) * 11 // 10 // 1_048_576
            call("mke2fs", "-q", "-t", "ext4", "-L", "LAB", "-O", "^has_journal", "-d", staging, self.media, f"{size}M")

    def build(self):
        os.makedirs(os.path.dirname(self.cache), exist_ok=True)
        with tempfile.TemporaryDirectory(dir=os.path.dirname(self.cache)) as work:
            os.chmod(work, 0o755)
            mirror = os.environ.get("LAB_MIRROR")
            try:
                call(
                    "mmdebstrap", "--quiet", "--variant=minbase", f"--include={','.join(PACKAGES)}", f"--customize-hook={HERE}/guest/customize.sh",
                    "--aptopt=Acquire::Retries \"3\"", suite(), f"{work}/root.tar", *([mirror] if mirror else []))
            except subprocess.CalledProcessError as error:
                raise Skipped(f"Debian's packages cannot be had: {last_line(error.stderr)}")
            # With owners as they are in the archive; without root in a pretended way, which mke2fs believes.
            script = (
                "mkdir tree && tar -xf root.tar -C tree --exclude=./dev/* && mkdir -p image/boot && cp tree/boot/vmlinuz-* tree/boot/initrd.img-* image/boot"
                " && rm -rf tree/boot/* tree/var/cache/apt/* tree/var/lib/apt/lists/*"
                " && mke2fs -q -t ext4 -d tree image/base.img 3G && chmod -R u+rwX tree && rm -rf tree")
            call(*([] if os.geteuid() == 0 else ["fakeroot"]), "sh", "-c", script, cwd=work)
            shutil.rmtree(self.cache, ignore_errors=True)
            os.rename(f"{work}/image", self.cache)

    def disk(self, path, base=None):
        """A disk that begins as another one was, and costs only what is written to it."""
        form = "qcow2" if base else "raw"
        call("qemu-img", "create", "-q", "-f", "qcow2", "-F", form, "-b", os.path.abspath(base or self.base), path)
        return path


def call(*command, cwd=None):
    return subprocess.run(command, check=True, capture_output=True, text=True, cwd=cwd)
