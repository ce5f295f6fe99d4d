#!/usr/bin/env bash
# Becomes the first process of a machine (machine.sh): machine-init.sh NAME systemd|shell FOLDER, in namespaces of its own.
set -euo pipefail

name=$1 init=$2 folder=$3

mkdir "$folder.disk"
mount -t tmpfs -o mode=755 tmpfs "$folder.disk"
mkdir "$folder.disk"/{written,work,root}
root=$folder.disk/root
mount -t overlay -o "lowerdir=/,upperdir=$folder.disk/written,workdir=$folder.disk/work" overlay "$root"
mount -t proc proc "$root/proc"
# What is there belongs to the machine below, and is not changed from here.
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 tmpfs "$root/run"
mount -t tmpfs -o mode=1777 tmpfs "$root/tmp"
mount -t tmpfs -o mode=755 tmpfs "$root/dev"
for device in null zero full random urandom tty; do
  touch "$root/dev/$device"
  mount --bind "/dev/$device" "$root/dev/$device"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 tmpfs "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"

# Of what this machine runs, nothing runs there; and nothing touches the kernel's settings.
rm -rf "$root"/etc/systemd/system/*.wants "$root"/etc/rc?.d/S* "$root/etc/fstab"
rm -f "$root/usr/sbin/policy-rc.d" "$root/var/lib/man-db/auto-update"
mkdir "$root/etc/systemd/system/multi-user.target.wants"
ln -s /lib/systemd/system/remote-fs.target "$root/etc/systemd/system/multi-user.target.wants/"
for unit in systemd-{sysctl,modules-load,remount-fs,udevd,udev-trigger,random-seed,timesyncd,networkd,resolved,update-utmp}.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# A package of ours that somebody has installed is not the one that is tested.
rm -rf "$root/etc/rumor" "$root/var/lib/rumor"
chroot "$root" dpkg --purge --force-all rumor >/dev/null 2>&1 || true

ip link set lo up
hostname "$name"
tr -d - <"$root/proc/sys/kernel/random/uuid" >"$root/etc/machine-id"
echo "$name" >"$root/etc/hostname"
exec 3>"$folder/is-up"
cd "$root"
mkdir -p .below
pivot_root . .below
umount --lazy .below
exec 3>&-
case $init in
  systemd) exec env -i container=other PATH=/usr/sbin:/usr/bin:/sbin:/bin /lib/systemd/systemd --unit=multi-user.target --show-status=false ;;
  # A shell that waits for its children.
  shell) exec env -i PATH=/usr/sbin:/usr/bin:/sbin:/bin sh -c 'while :; do sleep 1000 & wait $!; done' ;;
esac
