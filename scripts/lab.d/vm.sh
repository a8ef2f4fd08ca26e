# shellcheck shell=bash
# Hosts with a kernel of their own: suites called SUITE-vm. The root is that suite's, with Debian's kernel for clouds, and runs in qemu: by KVM
# where that boots, and otherwise on an emulated processor, which is slow. Everything else of such a host is as in host.sh: its directory,
# its number and address, its supervisor and its end.

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

# Each costs an emulated processor seconds, at every boot or every time systemd reads its units again, for what is not here: devices that come and
# go, terminals, logins that are counted, profiles of programs, what a first boot does. dockerd loads its own profile.
readonly VM_MASKED=(systemd-udevd.service systemd-udevd-control.socket systemd-udevd-kernel.socket systemd-udev-trigger.service
  systemd-udev-load-credentials.service kmod-static-nodes.service systemd-tmpfiles-setup-dev-early.service systemd-tmpfiles-setup-dev.service modprobe@.service
  dev-hugepages.mount dev-mqueue.mount run-lock.mount sys-fs-fuse-connections.mount sys-kernel-config.mount sys-kernel-debug.mount sys-kernel-tracing.mount
  proc-sys-fs-binfmt_misc.automount systemd-binfmt.service systemd-pstore.service systemd-random-seed.service systemd-remount-fs.service
  systemd-network-generator.service systemd-networkd.service systemd-networkd.socket systemd-timesyncd.service systemd-update-done.service
  systemd-sysusers.service systemd-hibernate-clear.service systemd-logind.service systemd-tmpfiles-clean.timer man-db.timer sshd-keygen.service
  serial-getty@.service apparmor.service ldconfig.service systemd-journal-catalog-update.service)

# What root_settle took away because a container has no use for it.
vm_settle() { # ROOT
  local root=$1 generator
  systemctl --root="$root" --quiet unmask systemd-modules-load.service
  systemctl --root="$root" --quiet enable auditd.service
  [[ ! -e $root/usr/lib/systemd/system/audit-rules.service ]] || systemctl --root="$root" --quiet enable audit-rules.service
  systemctl --root="$root" --quiet mask "${VM_MASKED[@]}"
  mkdir -p "$root/etc/systemd/system-generators"
  for generator in "$root"/usr/lib/systemd/system-generators/*; do
    ln -s /dev/null "$root/etc/systemd/system-generators/${generator##*/}"
  done
  printf '%s\n' '[Unit]' 'Description=Network of the lab' 'DefaultDependencies=no' 'After=local-fs.target' 'Before=network.target' \
    '[Service]' 'Type=oneshot' 'RemainAfterExit=yes' 'ExecStart=/usr/sbin/modprobe virtio_net' 'ExecStart=/usr/sbin/ip -batch /etc/lab.network' \
    '[Install]' 'WantedBy=sysinit.target' >"$root/etc/systemd/system/lab-network.service"
  systemctl --root="$root" --quiet enable lab-network.service
  ln -sf "$(basename "$root"/boot/vmlinuz-*)" "$root/boot/vmlinuz"
}

# The labels of the policy, which a kernel without SELinux only stores. Only what has another label is written.
vm_label() { # ROOT-WITH-THE-POLICY ROOT
  need_packages setfiles:policycoreutils
  setfiles -F -m -r "$2" "$1/etc/selinux/default/contexts/files/file_contexts" "$2" 2>/dev/null
}

# The host's disk, out of its merged tree, which then goes. 6 GB, of which only what is written takes room here.
vm_disk() { # FOLDER APPEND, after host_load
  local directory=$1
  printf '%s\n' "address add $(net_address "$number")/16 dev eth0" "address add $(net_address6 "$number")/64 dev eth0 nodad" 'link set eth0 up' \
    "route add default via $BRIDGE_ADDRESS" >"$directory/root/etc/lab.network"
  ! is_selinux "$suite" || vm_label "$base" "$directory/root"
  printf 'lsm=landlock,yama,%s %s\n' "$(if is_selinux "$suite"; then printf 'selinux enforcing=1'; else printf 'apparmor'; fi)" "$2" >"$directory/append"
  truncate -s 6G "$directory/disk"
  mkfs.ext4 -q -F -E root_owner=0:0,lazy_itable_init=1 -d "$directory/root" "$directory/disk"
  umount "$directory/root"
  rm -rf --one-file-system "$directory"/{upper,work,root,docker,containerd}
}

# Some machines have /dev/kvm and cannot boot Debian's kernel by it: virtual machines in one another. Without a disk it gets as far as this.
vm_boots_by() { # ACCELERATOR, after host_load
  [[ $(timeout 20 qemu-system-x86_64 -accel "$1" -cpu max -machine q35 -m 256 -nodefaults -display none -serial stdio -no-reboot \
    -kernel "$base/boot/vmlinuz" -append 'console=ttyS0 panic=-1' </dev/null 2>/dev/null | tr -d '\0') == *'not syncing: VFS'* ]]
}

# Becomes qemu: for a background process. A reboot stays inside of it; it ends when the host is switched off.
vm_run() { # NAME, after host_load
  local directory accelerator=tcg
  # Without what an emulated processor is slow at: wide vectors, checks at each copy from a program, strings byte by byte.
  local cpu=qemu64
  directory=$(host_directory "$1")
  ! [[ -e /dev/kvm ]] || ! vm_boots_by kvm || accelerator=kvm cpu=max
  # It computes all the time, and must not be kept waiting by those that mostly wait.
  exec nice -n -5 setpriv --pdeathsig KILL qemu-system-x86_64 -accel "$accelerator" -cpu "$cpu" -machine q35 -smp 1 -m 1024 -nodefaults -display none -serial stdio \
    -kernel "$base/boot/vmlinuz" \
    -append "root=/dev/nvme0n1 rw console=ttyS0 net.ifnames=0 8250.nr_uarts=1 mitigations=off init_on_alloc=0 audit=1 audit_backlog_limit=8192 quiet $(cat "$directory/append")" \
    -drive "file=$directory/disk,if=none,id=disk,format=raw,cache=unsafe" -device nvme,drive=disk,serial=lab \
    -netdev "tap,id=lab,ifname=dtl$number,script=no,downscript=no" -device "virtio-net-pci,netdev=lab,mac=$(net_mac "$number")"
}

# As ops with sudo: tests shut root out of ssh. Over one connection for as long as the host runs, since each takes an emulated processor seconds.
vm_exec() { # NAME CMD…, after host_load
  local options
  mapfile -t options < <(host_ssh_options "$1")
  # On a busy computer it is slow to answer. The first value wins.
  ssh -o ConnectTimeout=30 -o ServerAliveInterval=30 -o ControlMaster=auto -o ControlPersist=60 -o "ControlPath=$(host_directory "$1")/exec" "${options[@]}" "ops@$(net_address "$number")" "cd / && exec sudo -n env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root $(printf '%q ' "${@:2}")"
}
