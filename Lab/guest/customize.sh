#!/bin/sh
# Makes a Debian tree, given as the first argument, into the lab's machine.
set -eu
root=$1

echo lab > "$root/etc/hostname"
echo "127.0.0.1 localhost lab" > "$root/etc/hosts"
printf '/dev/vda / ext4 errors=remount-ro 0 1\nLABEL=LAB /lab ext4 ro,nofail 0 0\n' > "$root/etc/fstab"
mkdir -p "$root/lab"

# The console of the kernel belongs to the lab's log, and what is of no use here only costs time under emulation.
for unit in serial-getty@ttyS0.service systemd-networkd-wait-online.service apt-daily.timer apt-daily-upgrade.timer dpkg-db-backup.timer \
    e2scrub_reap.service e2scrub_all.timer fstrim.timer systemd-hwdb-update.service; do
    ln -sf /dev/null "$root/etc/systemd/system/$unit"
done

# The agent comes from the lab's own disk, so that a change in it needs no new image. It goes on while others shut down: the last words count.
cat > "$root/etc/systemd/system/lab-agent.service" <<'UNIT'
[Unit]
Description=Agent of the hardware lab
DefaultDependencies=no
RequiresMountsFor=/lab
After=systemd-udevd.service local-fs.target dbus.socket
Before=shutdown.target

[Service]
ExecStart=/usr/bin/python3 -u /lab/agent.py
Environment=PYTHONDONTWRITEBYTECODE=1
Restart=on-failure
RestartSec=1
TimeoutStopSec=5

[Install]
WantedBy=sysinit.target
UNIT
mkdir -p "$root/etc/systemd/system/sysinit.target.wants"
ln -sf ../lab-agent.service "$root/etc/systemd/system/sysinit.target.wants/lab-agent.service"

# A small initial disk: the few drivers that the root file system needs.
echo MODULES=list > "$root/etc/initramfs-tools/conf.d/lab"
printf 'virtio_pci\nvirtio_blk\next4\ncrc32c_generic\n' >> "$root/etc/initramfs-tools/modules"
chroot "$root" update-initramfs -u > /dev/null
