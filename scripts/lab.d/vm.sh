# shellcheck shell=bash
# Hosts with a kernel of their own: suites called SUITE-vm. The root is that suite's, with Debian's kernel for clouds, and runs in qemu on an
# emulated processor: slower, but the same on every machine, and no /dev/kvm is asked for. Everything else of such a host is as in
# host.sh: its directory, its number and address, its supervisor and its end.

# A real machine audits, confines and has disks of its own.
readonly VM_PACKAGES=(linux-image-cloud-amd64 initramfs-tools zstd udev kmod apparmor e2fsprogs)

# SELinux with Debian's reference policy, and what reads its refusals.
readonly SELINUX_PACKAGES=(selinux-basics selinux-policy-default policycoreutils)

is_selinux() { [[ ${1%-vm} == selinux ]]; }
is_vm() { [[ $1 == *-vm ]]; }
vm_possible() { [[ $(uname -m) == x86_64 ]]; }

vm_need() {
  vm_possible || fail "virtual machines of the lab are x86_64, and this machine is $(uname -m)"
  need_packages qemu-system-x86_64:qemu-system-x86 mkfs.ext4:e2fsprogs
  [[ -e /dev/net/tun ]] || fail 'virtual machines of the lab need /dev/net/tun: modprobe tun'
}

# What root_settle took away because a container has no use for it.
vm_settle() { # ROOT
  local root=$1
  systemctl --root="$root" --quiet unmask systemd-modules-load.service
  systemctl --root="$root" --quiet enable auditd.service systemd-networkd.service
  [[ ! -e $root/usr/lib/systemd/system/audit-rules.service ]] || systemctl --root="$root" --quiet enable audit-rules.service
  systemctl --root="$root" --quiet mask serial-getty@.service systemd-timesyncd.service
  # Half a minute of an emulated processor, for profiles of programs that are not here, and for what a first boot does. dockerd loads its own.
  systemctl --root="$root" --quiet mask apparmor.service ldconfig.service systemd-journal-catalog-update.service
  ln -sf "$(basename "$root"/boot/vmlinuz-*)" "$root/boot/vmlinuz"
  ln -sf "$(basename "$root"/boot/initrd.img-*)" "$root/boot/initrd"
}

# The labels of the policy, which a kernel without SELinux only stores. Only what has another label is written.
vm_label() { # ROOT-WITH-THE-POLICY ROOT
  need_packages setfiles:policycoreutils
  setfiles -F -m -r "$2" "$1/etc/selinux/default/contexts/files/file_contexts" "$2" 2>/dev/null
}

# The host's disk, out of its merged tree, which then goes. 6 GB, of which only what is written takes room here.
vm_disk() { # FOLDER APPEND, after host_load
  local directory=$1
  printf '[Match]\nName=eth0\n[Network]\nAddress=%s/16\nGateway=%s\nIPv6AcceptRA=no\n[Address]\nAddress=%s/64\nDuplicateAddressDetection=none\n' \
    "$(net_address "$number")" "$BRIDGE_ADDRESS" "$(net_address6 "$number")" \
    >"$directory/root/etc/systemd/network/lab.network"
  ! is_selinux "$suite" || vm_label "$base" "$directory/root"
  printf '%s%s\n' "$(is_selinux "$suite" && printf 'security=selinux enforcing=1 ')" "$2" >"$directory/append"
  truncate -s 6G "$directory/disk"
  mkfs.ext4 -q -F -E root_owner=0:0,lazy_itable_init=1 -d "$directory/root" "$directory/disk"
  umount "$directory/root"
  rm -rf --one-file-system "$directory"/{upper,work,root,docker,containerd}
}

# Becomes qemu: for a background process. A reboot stays inside of it; it ends when the host is switched off.
vm_run() { # NAME, after host_load
  local directory
  directory=$(host_directory "$1")
  # It computes all the time, and must not be kept waiting by those that mostly wait.
  exec nice -n -5 setpriv --pdeathsig KILL qemu-system-x86_64 -accel tcg -cpu max -machine q35 -smp 1 -m 1024 -nodefaults -display none -serial stdio \
    -kernel "$base/boot/vmlinuz" -initrd "$base/boot/initrd" \
    -append "root=/dev/vda rw console=ttyS0 net.ifnames=0 8250.nr_uarts=1 mitigations=off audit=1 audit_backlog_limit=8192 quiet $(cat "$directory/append")" \
    -drive "file=$directory/disk,if=virtio,format=raw,cache=unsafe" -device virtio-rng-pci \
    -netdev "tap,id=lab,ifname=dtl$number,script=no,downscript=no" -device "virtio-net-pci,netdev=lab,mac=$(net_mac "$number")"
}

# As ops with sudo: tests shut root out of ssh.
vm_exec() { # NAME CMD…, after host_load
  local options
  mapfile -t options < <(host_ssh_options "$1")
  # On a busy computer it is slow to answer. The first value wins.
  ssh -o ConnectTimeout=30 -o ServerAliveInterval=30 "${options[@]}" "ops@$(net_address "$number")" "cd / && exec sudo -n env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root $(printf '%q ' "${@:2}")"
}
