# shellcheck shell=bash
# What the lab needs of this machine: Linux, root, packages, a key, and control groups.

# The lab changes this machine's network and mounts: say what is missing before anything is touched.
require_machine() {
  [[ $(uname -s) == Linux ]] || fail "the lab needs Linux (this is $(uname -s)): its hosts are containers with a systemd of their own"
  ((EUID == 0)) || fail "the lab needs root, for mounts and network namespaces: sudo $LAB_SCRIPT $*"
}

# Installs the packages whose commands are not here: COMMAND:PACKAGE …
need_packages() {
  local pair missing=()
  for pair in "$@"; do command -v "${pair%%:*}" >/dev/null || missing+=("${pair##*:}"); done
  ((${#missing[@]})) || return 0
  command -v apt-get >/dev/null ||
    fail "the lab needs ${missing[*]} and there is no apt-get here to install them: it runs on Debian and its kin"
  say "installing ${missing[*]} with apt"
  mkdir -p "$LAB"
  (
    flock 9 # apt fails, rather than waits, while another run of ours holds its lock
    export DEBIAN_FRONTEND=noninteractive
    apt-get -q update || true # an old list may do, and apt-get install says what is wrong
    # Before trixie the command line comes with the daemon.
    apt-cache show docker-cli >/dev/null 2>&1 || missing=("${missing[@]/#docker-cli/docker.io}")
    apt-get -q -o DPkg::Lock::Timeout=120 install -y --no-install-recommends "${missing[@]}"
  ) 9>/run/docker-tls-lab.apt >"$LAB/apt.log" 2>&1 || {
    tail -n 5 "$LAB/apt.log" >&2
    fail "apt could not install ${missing[*]}; the whole log is $LAB/apt.log"
  }
}

need_tools() {
  need_packages systemd-nspawn:systemd-container ip:iproute2 ssh:openssh-client ssh-keygen:openssh-client \
    setpriv:util-linux findmnt:util-linux flock:util-linux
  [[ $(findmnt -n -t cgroup2) ]] || {
    mkdir -p /sys/fs/cgroup/unified 2>/dev/null || true
    mount -t cgroup2 cgroup2 /sys/fs/cgroup/unified 2>/dev/null || mount -t cgroup2 cgroup2 /sys/fs/cgroup
  }
  mkdir -p "$LAB/locks" "$HOSTS/.locks"
  chmod 0711 "$LAB"
  (
    flock 9
    [[ -s $LAB/key.pub ]] || { rm -f "$LAB/key" && ssh-keygen -q -t ed25519 -N '' -C docker-tls-lab -f "$LAB/key"; }
  ) 9>"$LAB/locks/key.lock"
}
