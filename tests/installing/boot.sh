#!/bin/sh
# A machine of its own, of this one's files: boot.sh FOLDER CGROUP INIT...
#
# INIT becomes process 1 of namespaces of its own. What it writes goes to memory that is laid over
# this machine's files, so nothing of them is touched, and all of it is gone when process 1 ends,
# which it does with whoever runs this. CGROUP is a folder of cgroup2 and becomes the root of it.
# FOLDER/bound says what is bound in, to read only: "FROM TO" in each line. Wants root.
set -eu
export PATH="$PATH:/usr/sbin:/sbin"
folder=$1
echo $$ >"$2/cgroup.procs"
shift 2
exec unshare --mount --pid --fork --kill-child --ipc --uts --net --cgroup --propagation private \
    /bin/sh -eu -c '
folder=$1
shift
bound=$(cat "$folder/bound")
mount -t tmpfs none "$folder"
mkdir "$folder/over" "$folder/work" "$folder/root"
root=$folder/root
mount -t overlay overlay -o "lowerdir=/,upperdir=$folder/over,workdir=$folder/work" "$root"
mount -t proc proc "$root/proc"
mount --bind "$root/proc/sys" "$root/proc/sys"
mount -o remount,bind,ro "$root/proc/sys"
mount -t sysfs -o ro sysfs "$root/sys"
mount -t cgroup2 cgroup2 "$root/sys/fs/cgroup"
mount -t tmpfs -o mode=755 none "$root/run"
mount -t tmpfs -o mode=1777 none "$root/tmp"
mount -t tmpfs -o mode=755 none "$root/dev"
for one in null zero full random urandom tty; do
    : >"$root/dev/$one"
    mount --bind "/dev/$one" "$root/dev/$one"
done
mkdir "$root/dev/pts" "$root/dev/shm"
mount -t devpts -o newinstance,ptmxmode=0666 devpts "$root/dev/pts"
mount -t tmpfs -o mode=1777 none "$root/dev/shm"
ln -s pts/ptmx "$root/dev/ptmx"
ln -s /proc/self/fd "$root/dev/fd"
while read -r from to; do
    [ -n "$from" ] || continue
    mkdir -p "$root$to"
    mount --bind "$from" "$root$to"
    mount -o remount,bind,ro "$root$to"
done <<END
$bound
END

# Nothing of what this machine runs, and no hardware.
units=$root/etc/systemd/system
mkdir -p "$units"
rm -rf "$units"/*.wants "$units"/*.requires
: >"$root/etc/fstab"
rm -f "$root/etc/machine-id"
echo 0123456789abcdef0123456789abcdef >"$root/etc/machine-id"
for one in networkd networkd-wait-online resolved timesyncd logind udevd udev-trigger \
    journal-flush modules-load sysctl binfmt remount-fs firstboot; do
    ln -sf /dev/null "$units/systemd-$one.service"
done
for one in getty.target modprobe@.service systemd-journald-audit.socket \
    dev-hugepages.mount sys-kernel-debug.mount sys-kernel-tracing.mount \
    sys-kernel-config.mount sys-fs-fuse-connections.mount proc-sys-fs-binfmt_misc.automount; do
    ln -sf /dev/null "$units/$one"
done
# As logind has it done, which does not run here.
cat >"$units/user-runtime-dir@.service" <<END
[Service]
Type=oneshot
RemainAfterExit=yes
ExecStart=/usr/bin/install -d -m 0700 -o %i /run/user/%i
END
mkdir "$root/old"
cd "$root"
pivot_root . old
umount -l old
rmdir old
# As systemd does it where it boots a machine itself. Told that it is in a container, it leaves it
# to whoever made the container, and then no credential reaches a service.
mount --make-rshared /
exec env -i container=tried LANG=C.UTF-8 PATH=/usr/sbin:/usr/bin:/sbin:/bin "$@"
' boot "$folder" "$@"
