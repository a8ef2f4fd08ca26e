# shellcheck shell=bash
# The cached roots: one plain Debian tree per suite, made once by debootstrap and never written to again (every
# host lays an overlay over it). A root's directory carries a hash of everything that decides its contents, so a
# change of the recipe makes a new root and hosts that still run on the old one are left in peace.

# Debian's release of a suite: those without systemd, with SELinux and with Docker for a user are of trixie; podman is sid's (trixie's Podman has no TLS).
root_release() { # SUITE
  case ${1%-vm} in sysvinit | openrc | selinux | rootless | podman-trixie) printf 'trixie' ;; podman | rootless-sid) printf 'sid' ;; *) printf '%s' "${1%-vm}" ;; esac
}

# What Debian puts into every root. docker-cli is part of docker.io on bookworm.
root_packages() { # SUITE
  local packages=(systemd systemd-sysv dbus openssh-server docker.io iptables sudo iproute2 ca-certificates openssl
    procps curl auditd busybox-static fish)
  ! is_without_systemd "$1" || packages=(dbus sysvinit-core sysv-rc orphan-sysvinit-scripts openssh-server docker.io iptables sudo
    iproute2 ca-certificates openssl procps curl busybox-static fish)
  ! is_podman "$1" || packages=(systemd systemd-sysv dbus openssh-server podman crun conmon netavark aardvark-dns nftables sudo iproute2
    ca-certificates openssl procps curl busybox-static fish)
  [[ ${1%-vm} == bookworm ]] || packages+=(docker-cli)
  ! is_rootless "$1" || packages+=(rootlesskit slirp4netns passt uidmap dbus-user-session libpam-systemd polkitd)
  ! is_vm "$1" || packages+=("${VM_PACKAGES[@]}")
  # What makes sid's initrd is dracut, and neither stands the other.
  [[ $1 != sid-vm ]] || packages=("${packages[@]/#initramfs-tools/dracut}")
  ! is_selinux "$1" || packages+=("${SELINUX_PACKAGES[@]}")
  (
    IFS=,
    printf '%s' "${packages[*]}"
  )
}

root_directory() { # SUITE
  local hash
  hash=$({
    printf '%s\n' "$1"
    root_packages "$1"
    if is_without_systemd "$1"; then declare -f root_settle_init root_without_systemd; else declare -f root_settle; fi
    declare -f root_users root_image
    ! is_podman "$1" || declare -f root_settle_podman
    ! is_rootless "$1" || declare -f root_rootless
    ! is_vm "$1" || { declare -f vm_settle && printf "%s\n" "${VM_MASKED[@]}"; }
    ! is_selinux "$1" || declare -f vm_label
  } | sha256sum)
  printf '%s/roots/%s-%s' "$LAB" "$1" "${hash:0:12}"
}

# Builds SUITE's root if it is not there. Two builders of one suite wait for one another; a build that is killed
# leaves only a temporary directory, which the next one removes.
root_build() { # SUITE
  local suite=$1 root part lock started=$SECONDS
  root=$(root_directory "$suite")
  [[ -d $root ]] && return 0
  need_packages debootstrap:debootstrap busybox:busybox-static
  mkdir -p "$LAB/roots" "$LAB/debs/$suite" "$LAB/locks"
  exec {lock}>"$LAB/locks/root.$suite"
  flock -n "$lock" || {
    say "another run is building $suite: waiting for it"
    flock "$lock"
  }
  if [[ ! -d $root ]]; then
    say "building the $suite root with debootstrap (about a minute, once)"
    part=$LAB/roots/.part.$suite
    # A mirror that fails for one package of hundreds: the next attempt takes the others from the cache.
    root_debootstrap "$suite" || root_debootstrap "$suite" || {
      tail -n 5 "$LAB/roots/$suite.log" >&2
      fail "debootstrap could not make $suite; the whole log is $LAB/roots/$suite.log"
    }
    ! is_without_systemd "$suite" || root_without_systemd "$part" "$suite" >>"$LAB/roots/$suite.log" 2>&1 ||
      fail "could not take systemd out of $suite; the whole log is $LAB/roots/$suite.log"
    if is_without_systemd "$suite"; then root_settle_init "$part"; else root_settle "$part"; fi
    ! is_podman "$suite" || root_settle_podman "$part"
    root_users "$part"
    root_image "$part"
    ! is_rootless "$suite" || root_rootless "$part"
    ! is_vm "$suite" || vm_settle "$part"
    ! is_selinux "$suite" || vm_label "$part" "$part"
    sync -f "$part"
    mv -T "$part" "$root"
    say "$suite is ready after $((SECONDS - started)) s: $root"
  fi
  exec {lock}>&-
}

root_debootstrap() { # SUITE
  root_erase "$LAB/roots/.part.$1"
  debootstrap --variant=minbase --cache-dir="$LAB/debs/$1" --include="$(root_packages "$1")" \
    "$(root_release "$1")" "$LAB/roots/.part.$1" >"$LAB/roots/$1.log" 2>&1
}

# debootstrap leaves /proc mounted when it is killed: deleting through such a mount would hit this host.
root_erase() { # FOLDER
  local mounted
  while read -r mounted; do umount -l "$mounted"; done \
    < <(awk -v root="$1/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
  rm -rf --one-file-system "$1"
}

# Makes the root fit to be a host: no identity of its own, no timers, nothing that waits for a network.
root_settle() { # ROOT
  local root=$1
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/ssh/ssh_host_*
  : >"$root/etc/machine-id"
  rm -f "$root/var/lib/dbus/machine-id" "$root/etc/resolv.conf"
  # No name server at all: a lookup fails at once in place of hanging.
  printf '# the lab has no name server\n' >"$root/etc/resolv.conf"
  mkdir -p "$root/var/lib/docker" "$root/var/lib/containerd"
  systemctl --root="$root" --quiet set-default multi-user.target
  systemctl --root="$root" --quiet mask console-getty.service getty@.service apt-daily.timer apt-daily-upgrade.timer \
    dpkg-db-backup.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer systemd-networkd-wait-online.service \
    systemd-modules-load.service # a container loads no kernel modules: failing, it makes the whole host "degraded"
  # Kernels without an audit subsystem can't start these; the rules files are what an audit reads.
  systemctl --root="$root" --quiet disable auditd.service audit-rules.service 2>/dev/null || true
}

# debootstrap takes the first of alternatives (`systemd | systemd-standalone-sysusers`, `sysv-rc | openrc`): the others take their places
# here, by the lists that it left.
root_without_systemd() { # ROOT SUITE
  local packages=(systemd-standalone-sysusers systemd-standalone-tmpfiles)
  [[ $2 != openrc ]] || packages+=(openrc)
  chroot "$1" env DEBIAN_FRONTEND=noninteractive apt-get -q install -y --no-install-recommends "${packages[@]}"
}

# A container has no terminals, and neither devices nor a clock of its own.
root_settle_init() { # ROOT
  local root=$1 script
  rm -rf "$root"/var/cache/apt/archives/*.deb "$root"/var/lib/apt/lists/* "$root"/etc/ssh/ssh_host_*
  : >"$root/etc/machine-id"
  printf '# the lab has no name server\n' >"$root/etc/resolv.conf"
  mkdir -p "$root/var/lib/docker" "$root/var/lib/containerd"
  for script in udev hwclock.sh kmod brightness; do chroot "$root" update-rc.d "$script" remove; done
  rm -f "$root"/etc/runlevels/*/{udev,hwclock.sh,kmod,brightness}
  sed -i '/getty/d' "$root/etc/inittab"
  # mountkernfs.sh hides those that the container has, and without a word of them here /etc/init.d/docker mounts control groups of the first version.
  printf 'cgroup2 /sys/fs/cgroup cgroup2 defaults 0 0\n' >>"$root/etc/fstab"
  # It ends where it may not raise its limits as far as it would like to, as in a container.
  printf 'ulimit() { command ulimit "$@" 2>/dev/null || :; }\n' >>"$root/etc/default/docker"
}

# Docker of the user rooty alone, as dockerd-rootless-setuptool.sh sets it up; root's is there and off.
root_rootless() { # ROOT
  local root=$1 contrib=/usr/share/docker.io/contrib unit=/home/rooty/.config/systemd/user/docker.service
  chroot "$root" useradd --create-home --shell /bin/bash rooty
  systemctl --root="$root" --quiet disable docker.service docker.socket containerd.service
  mkdir -p "$root/var/lib/systemd/linger" "$root${unit%/*}/default.target.wants" "$root/home/rooty/.local/share/docker"
  : >"$root/var/lib/systemd/linger/rooty"
  # The text of its own here-document.
  sed -n '/cat <<- EOT > "${unit_file}"/,/^\t*EOT$/p' "$root$contrib/dockerd-rootless-setuptool.sh" | sed -e '1d;$d' -e 's/^\t*//' \
    -e "s|\$BIN|$contrib|g" -e 's|:\$PATH|:/usr/bin:/bin|' -e 's| \$DOCKERD_ROOTLESS_SH_FLAGS||' -e 's|\\\$|$|g' >"$root$unit"
  ln -s ../docker.service "$root${unit%/*}/default.target.wants/docker.service"
  printf 'export DOCKER_HOST=unix:///run/user/%s/docker.sock\n' "$(chroot "$root" id -u rooty)" >>"$root/home/rooty/.profile"
  cp "$root/root/busybox.tar" "$root/home/rooty/busybox.tar"
  chroot "$root" chown -R rooty:rooty /home/rooty
}

# Podman without a Docker beside it, with its own socket. Its limit of processes fails where this machine binds control groups to cgroup v1.
root_settle_podman() { # ROOT
  rmdir "$1/var/lib/docker" "$1/var/lib/containerd"
  mkdir -p "$1/var/lib/containers" "$1/etc/containers"
  printf '[containers]\npids_limit = 0\n' >"$1/etc/containers/containers.conf"
  systemctl --root="$1" --quiet enable podman.socket
}

# Who can log in. All have the lab's key (placed when a host is made).
root_users() { # ROOT
  local root=$1 user
  for user in ops pat noisy fishy; do
    chroot "$root" useradd --create-home --shell /bin/bash "$user"
  done
  # ops, noisy, fishy: sudo asks nothing. pat: sudo asks, and the same password opens an ssh login.
  printf '%s ALL=(ALL:ALL) NOPASSWD: ALL\n' ops noisy fishy >"$root/etc/sudoers.d/lab"
  chmod 0440 "$root/etc/sudoers.d/lab"
  chroot "$root" usermod --append --groups sudo pat
  printf 'pat:correct horse\n' | chroot "$root" chpasswd

  # noisy: bash greets on both streams, with escapes, for every command that ssh runs.
  local greeting="printf '\\033[31;1mWelcome to \\033]0;title\\007the host!\\033[0m\\n'; printf '\\033[2Jwarning: read this\\r\\n' >&2"
  for user in .bashrc .profile; do
    printf '%s\n' "$greeting" | cat - "$root/home/noisy/$user" >"$root/home/noisy/$user.new"
    mv "$root/home/noisy/$user.new" "$root/home/noisy/$user"
  done
  chroot "$root" chown -R noisy:noisy /home/noisy

  # fishy: a login shell that is not POSIX, and that greets too.
  chroot "$root" usermod --shell /usr/bin/fish fishy
  mkdir -p "$root/home/fishy/.config/fish"
  printf "echo 'Hello, I am fish'\nprintf '\\\\e[36mconfig.fish speaks\\\\e[0m\\\\n' >&2\n" \
    >"$root/home/fishy/.config/fish/config.fish"
  chroot "$root" chown -R fishy:fishy /home/fishy
}

# /root/busybox.tar: an image without a registry, for `docker import /root/busybox.tar busybox`.
root_image() { # ROOT
  local root=$1 image applet
  image=$(mktemp -d "$root/tmp/image.XXXXXX")
  mkdir -p "$image"/{bin,etc,tmp,proc,sys,dev,root,var/run}
  cp "$(command -v busybox)" "$image/bin/busybox"
  for applet in $(busybox --list); do
    [[ $applet == busybox ]] || ln -s busybox "$image/bin/$applet"
  done
  printf 'root:x:0:0:root:/root:/bin/sh\nnobody:x:65534:65534:nobody:/:/bin/false\n' >"$image/etc/passwd"
  printf 'root:x:0:\nnogroup:x:65534:\n' >"$image/etc/group"
  chmod 1777 "$image/tmp"
  tar -C "$image" --owner=0 --group=0 --numeric-owner -cf "$root/root/busybox.tar" .
  rm -rf "$image"
}

# Packages for single hosts (up --with), downloaded once with all that they need on a root of the suite.
root_debs_directory() { # SUITE PACKAGE,…
  printf '%s/debs/%s-with-%s' "$LAB" "$1" "${2//,/-}"
}

root_debs() { # SUITE PACKAGE,…
  local directory tree lock
  directory=$(root_debs_directory "$1" "$2")
  exec {lock}>"$LAB/locks/debs-$1"
  flock "$lock"
  if [[ ! -d $directory ]]; then
    say "downloading ${2//,/, } for $1 (once)"
    tree=$(mktemp -d "$LAB/debs/tree.XXXXXX")
    mkdir -p "$tree"/{upper,work,root,debs}
    mount -t overlay overlay -o "lowerdir=$(root_directory "$1"),upperdir=$tree/upper,workdir=$tree/work,volatile" "$tree/root"
    cp /etc/resolv.conf "$tree/root/etc/resolv.conf"
    # A mirror of sid may be older than its own release file allows.
    # shellcheck disable=SC2086 # names of packages
    chroot "$tree/root" sh -c 'apt-get -q -o Acquire::Check-Valid-Until=false update && apt-get -q install -y --no-install-recommends --download-only "$@"' sh ${2//,/ } \
      >"$tree/log" 2>&1 && mv "$tree"/root/var/cache/apt/archives/*.deb "$tree/debs/"
    umount "$tree/root"
    [[ -n $(ls "$tree/debs") ]] || fail "apt-get could not download ${2//,/, }: $(tail -n 5 "$tree/log")"
    mv "$tree/debs" "$directory"
    rm -rf "$tree"
  fi
  exec {lock}>&-
}

# Installs the packages of a directory.
root_with() { # ROOT DIRECTORY
  mkdir "$1/root/debs"
  cp "$2"/*.deb "$1/root/debs/"
  chroot "$1" sh -c 'DEBIAN_FRONTEND=noninteractive dpkg -i /root/debs/*.deb' >"$1/root/debs.log" 2>&1 ||
    fail "dpkg failed: $(tail -n 5 "$1/root/debs.log")"
  rm -r "$1/root/debs" "$1/root/debs.log"
}

# What a container has no use for, and what costs a fifth of its boot: mounts of the kernel's own, its modules, and updates after a change of /usr.
readonly CONTAINER_MASKED=(dev-hugepages.mount dev-mqueue.mount run-lock.mount sys-fs-fuse-connections.mount sys-kernel-config.mount
  sys-kernel-debug.mount sys-kernel-tracing.mount modprobe@.service systemd-remount-fs.service)

root_quick_boot() { # ROOT
  touch -r "$1/usr" "$1/etc/.updated" "$1/var/.updated"
  systemctl --root="$1" --quiet mask "${CONTAINER_MASKED[@]}"
}
