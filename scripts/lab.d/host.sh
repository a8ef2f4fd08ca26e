# shellcheck shell=bash
# One host: its directory, its life and its end. The directory HOSTS/NAME holds
#   info          suite, number, root directory and owner, as shell assignments
#   root          the merged tree that the host runs on (overlay of the cached root and upper)
#   disk, append   of a host with a kernel of its own (vm.sh), in place of root, docker and containerd
#   rooty, tun    of a suite rootless: bound on /home/rooty/.local/share/docker and /dev/net/tun
#   docker, containerd   bound on /var/lib/docker and /var/lib/containerd (overlay2 can't sit on an overlay)
#   known_hosts   the host's keys, known before it boots
#   alive         locked for as long as the host's supervisor lives: the kernel lets go of it however it ends
#   supervisor, nspawn   process ids (nspawn: or of qemu), valid only while alive is locked; exec: the connection into a virtual machine
#   cut, reboot   marks: the link is down; nspawn was killed to boot again
# HOSTS/.locks/NAME is held by the run that makes or removes the host.

host_directory() { printf '%s/%s' "$HOSTS" "$1"; }

host_check_name() {
  [[ $1 =~ ^[a-z]([a-z0-9-]{0,40}[a-z0-9])?$ ]] ||
    fail "'$1' is no name for a host: lower-case letters, digits and dashes, at most 42"
}

# Sets suite, number, base, owner and owner_started; fails if there is no such host.
host_load() { # NAME
  suite='' number='' base='' owner='' owner_started=''
  # shellcheck source=/dev/null
  . "$(host_directory "$1")/info" 2>/dev/null && [[ -n $number ]]
}

host_need() { # NAME
  host_check_name "$1"
  host_load "$1" || fail "there is no host '$1'; see: scripts/lab list"
}

host_alive() { # NAME
  local directory
  directory=$(host_directory "$1")
  [[ -e $directory/alive ]] && ! flock -s -n "$directory/alive" true
}

# A process is known by its id and its start time: ids are used again.
process_started() { # PID
  local stat
  read -r stat 2>/dev/null <"/proc/$1/stat" || return 1
  # shellcheck disable=SC2086 # fields, after the name in brackets
  set -- ${stat##*) }
  printf '%s' "${20}"
}

host_owned() { # after host_load: no owner, or one that lives
  [[ -z $owner || $(process_started "$owner") == "$owner_started" ]]
}

# Makes and boots one host, and returns when its ssh and its docker answer.
host_up() { # NAME SUITE OWNER-PID APPEND WITH
  local name=$1 want=$2 owner_pid=$3 append=$4 with=$5 directory lock alive net started=$EPOCHREALTIME
  directory=$(host_directory "$name")
  exec {lock}>"$HOSTS/.locks/$name"
  flock "$lock"
  if host_alive "$name" && host_load "$name" && host_owned; then
    [[ $suite == "$want" ]] || fail "$name is up already, as $suite: take it down first (scripts/lab down $name)"
    [[ -z $owner_pid || $owner_pid == "$owner" ]] || fail "$name is up already, and is not process $owner_pid's"
    host_wait "$name" || fail "$name is up, but its ssh or docker does not answer"
    say "$name is up already"
    exec {lock}>&-
    return 0
  fi
  host_erase "$name"
  trap 'host_erase "$name"' EXIT # half a host is of no use

  mkdir -p "$directory"/{upper,work,root,docker,containerd}
  chmod 0711 "$directory/docker" "$directory/containerd"
  suite=$want base=$(root_directory "$want")
  if is_rootless "$want"; then
    install -d -m 0700 -o "$(stat -c %u "$base/home/rooty")" -g "$(stat -c %g "$base/home/rooty")" "$directory/rooty"
    mknod -m 0666 "$directory/tun" c 10 200
  fi
  exec {net}>"$NET_LOCK"
  flock "$net"
  net_bridge
  number=$(net_number)
  {
    printf 'suite=%q number=%q base=%q owner=%q' "$want" "$number" "$base" "$owner_pid"
    printf ' owner_started=%q\n' "$([[ -z $owner_pid ]] || process_started "$owner_pid")"
  } >"$directory/info"
  exec {net}>&-

  # volatile: the kernel need not sync a tree that is thrown away.
  mount -t overlay "lab-$name" -o "lowerdir=$base,upperdir=$directory/upper,workdir=$directory/work,volatile" "$directory/root"
  host_identity "$name" "$directory"
  is_vm "$want" || is_without_systemd "$want" || root_quick_boot "$directory/root"
  ! is_rootless "$want" || host_rootless "$directory/root"
  [[ -z $with ]] || root_with "$directory/root" "$(root_debs_directory "$want" "$with")"
  ! is_vm "$want" || vm_disk "$directory" "$append"

  exec {alive}>"$directory/alive"
  flock -w 5 "$alive"
  # Its own session: a Ctrl-C or a closed terminal must not end the host. The lock on alive goes over to it.
  setsid "$LAB_SCRIPT" _supervise "$name" "$alive" {lock}>&- </dev/null >>"$directory/console.log" 2>&1 &
  disown
  exec {alive}>&-
  if ! host_wait "$name"; then
    tail -n 20 "$directory/console.log" >&2
    fail "$name did not come up; its console's last lines are above"
  fi
  trap - EXIT
  exec {lock}>&-
  say "$name is up: $want at $(net_address "$number"), $(awk -v a="$started" -v b="$EPOCHREALTIME" 'BEGIN { printf "%.1f", b - a }') s"
}

# What a user's own systemd and Docker need in a container.
host_rootless() { # ROOT
  local own=$1/etc/systemd/system/systemd-logind.service.d
  # A user namespace may mount these where they can be seen whole already; nspawn covers parts of its own.
  printf '%s\n' 'proc /srv/proc proc x-mount.mkdir 0 0' 'sysfs /srv/sys sysfs x-mount.mkdir 0 0' >>"$1/etc/fstab"
  # systemd 262 gives such a service a /proc of its own, without the boot id that nspawn has put over this machine's: logind then takes
  # every login for one of another machine.
  mkdir -p "$own"
  printf '[Service]\nProtectControlGroups=no\n' >"$own/lab.conf"
}

# Names, host keys, the lab's key for every user.
host_identity() { # NAME FOLDER
  local name=$1 directory=$2 root=$2/root address user home ids type
  address=$(net_address "$number")
  printf '%s\n' "$name" >"$root/etc/hostname"
  mkdir -p "$root/etc/systemd/system-generators" # generators take half of a daemon-reload
  for generator in debug getty gpt-auto hibernate-resume rc-local run system-update tpm2; do
    ln -sf /dev/null "$root/etc/systemd/system-generators/systemd-$generator-generator"
  done
  printf '127.0.0.1 localhost\n::1 localhost ip6-localhost\n%s %s.lab %s\n' "$address" "$name" "$name" >"$root/etc/hosts"
  for type in ed25519 ecdsa rsa; do
    ssh-keygen -q -t "$type" $([[ $type != rsa ]] || echo -b 2048) -N '' -C "root@$name" -f "$root/etc/ssh/ssh_host_${type}_key"
  done
  sed "s/^/$address /" "$root"/etc/ssh/ssh_host_*_key.pub >"$directory/known_hosts"
  while IFS=: read -r user _ _ _ _ home _; do
    case $user in root | ops | pat | noisy | fishy | rooty) ;; *) continue ;; esac
    ids=$(stat -c %u:%g "$root$home")
    [[ -d $root$home/.ssh ]] || mkdir -m 0700 "$root$home/.ssh"
    cp "$LAB/key.pub" "$root$home/.ssh/authorized_keys"
    chmod 0600 "$root$home/.ssh/authorized_keys"
    chown -R "$ids" "$root$home/.ssh"
  done <"$root/etc/passwd"
}

host_has_ssh() { timeout 1 bash -c "exec 3<>/dev/tcp/$(net_address "$number")/22" 2>/dev/null; } # after host_load

# Waits up to a minute (a virtual machine on a busy computer: 15), for ssh and then docker; for a host whose link is cut, for docker alone. Each
# look takes some processes, and hosts that boot beside one another wait for them: five a second, and whether the host lives once a second.
host_wait() { # NAME
  local name=$1 deadline=$((SECONDS + $(is_vm "$suite" && printf 900 || printf 60))) probe turn=0
  probe="until $(host_engine) version >/dev/null 2>&1; do sleep 0.1; done"
  while ((SECONDS < deadline)); do
    ((turn++ % 5 > 0)) || host_alive "$name" || return 1
    if [[ -e $(host_directory "$name")/cut ]]; then
      ! is_vm "$suite" || return 0 # no question reaches it
    elif ! host_has_ssh; then
      sleep 0.2
      continue
    fi
    # Not as root over ssh: a hardened host shuts root out.
    host_exec "$name" timeout 20 sh -c "$probe" </dev/null 2>/dev/null && return 0
    sleep 0.2
  done
  return 1
}

# Becomes the container: for a background process. --keep-unit, and so status 133 for a reboot. KILL: nspawn must not outlive its supervisor.
host_run() { # NAME, after host_load
  local directory binds
  directory=$(host_directory "$1")
  binds=(--bind="$directory/docker:/var/lib/docker" --bind="$directory/containerd:/var/lib/containerd")
  ! is_podman "$suite" || binds=(--bind="$directory/docker:/var/lib/containers")
  # Its images need a file system that is not an overlay, as root's do. The device that its network is made with is open to every user where
  # udev runs, and not on every machine of a lab.
  ! is_rootless "$suite" || binds+=(--bind="$directory/tun:/dev/net/tun" --bind="$directory/rooty:/home/rooty/.local/share/docker")
  SYSTEMD_NSPAWN_UNIFIED_HIERARCHY=1 SYSTEMD_NSPAWN_API_VFS_WRITABLE=1 exec setpriv --pdeathsig KILL \
    systemd-nspawn --quiet --directory="$directory/root" --boot --register=no --keep-unit --machine="dtlab$number" --hostname="$1" \
    --network-namespace-path="/run/netns/dtlab$number" --capability=all --system-call-filter='add_key keyctl bpf' \
    "${binds[@]}" \
    --resolv-conf=off --timezone=off --link-journal=no --console=pipe
}

# Runs for as long as the host does, and boots it again when it asks for a reboot.
host_supervise() { # NAME ALIVE-FD
  local name=$1 alive=$2 directory status watch=''
  directory=$(host_directory "$name")
  host_load "$name"
  printf '%s\n' "$BASHPID" >"$directory/supervisor"
  cgroup_enter "$name"
  if [[ -n $owner ]]; then
    tail --pid="$owner" -f /dev/null {alive}>&- &
    watch=$!
  fi
  while :; do
    net_up "$number" "$([[ -e $directory/cut ]] && printf yes || printf no)" "$suite"
    rm -f "$directory"/{reboot,exec} # from here on no run reaches the host as it was before
    if is_vm "$suite"; then vm_run "$name"; else host_run "$name"; fi {alive}>&- </dev/null &
    printf '%s\n' $! >"$directory/nspawn"
    status=0
    wait -n $! $watch || status=$?
    if [[ -n $watch && ! -e /proc/$watch ]]; then
      # The owner has ended: no process is left to take the host down. From outside its control group, which is killed.
      printf '%s\n' "$BASHPID" >"$(cgroup_top)/cgroup.procs"
      exec {alive}>&-
      exec setsid --fork "$LAB_SCRIPT" down "$name" </dev/null
    fi
    [[ $status == 133 || -e $directory/reboot ]] || break
    printf -- '--- reboot ---\n'
    cgroup_kill "$(cgroup_directory "$name")/payload"
    # A control group remembers that it was killed: Linux 6.18 then kills what systemd starts in it (CLONE_INTO_CGROUP).
    find "$(cgroup_directory "$name")/payload" -depth -type d -exec rmdir {} + 2>/dev/null || true
    host_forget
  done
  [[ -z $watch ]] || kill "$watch"
  net_down "$number"
}

# nspawn, killed, leaves mounts by its container's name behind, and then refuses to start another of that name.
host_forget() { # after host_load
  local mounted
  for mounted in /run/systemd/nspawn/{unix-export,propagate}/dtlab"$number"; do
    ! mountpoint -q "$mounted" || umount -l "$mounted"
    rmdir "$mounted" 2>/dev/null || true
  done
}

# The host's first process, as seen from here. It is nspawn's only child.
host_leader() { # NAME
  local nspawn leader
  nspawn=$(cat "$(host_directory "$1")/nspawn" 2>/dev/null) || return 1
  leader=$(cat "/proc/$nspawn/task/$nspawn/children" 2>/dev/null) || return 1
  leader=${leader%% *}
  [[ -n $leader ]] && printf '%s' "$leader"
}

# Everything that a host has: processes, mounts, namespace, links, directory. Works on any half of a host.
host_erase() { # NAME, with HOSTS/.locks/NAME held
  local name=$1 directory group pid mounted
  directory=$(host_directory "$name")
  [[ -d $directory ]] || return 0
  if host_alive "$name" && pid=$(cat "$directory/supervisor" 2>/dev/null); then
    kill -KILL "$pid" 2>/dev/null || true # nspawn and the host go with it
  fi
  group=$(cgroup_directory "$name")
  cgroup_kill "$group"
  [[ ! -d $group ]] || find "$group" -depth -type d -exec rmdir {} + 2>/dev/null || true
  if host_load "$name"; then
    net_down "$number"
    host_forget
  fi
  while read -r mounted; do umount "$mounted" 2>/dev/null || umount -l "$mounted"; done \
    < <(awk -v root="$directory/" 'index($5, root) == 1 { print $5 }' /proc/self/mountinfo | sort -r)
  rm -rf --one-file-system "$directory"
}

# Takes down what killed runs left: hosts whose owner is gone, or that no longer run. Hosts that a run is just
# making or removing are theirs.
host_sweep() {
  local directory name lock
  for directory in "$HOSTS"/*/; do
    [[ -d $directory ]] || continue
    name=$(basename "$directory")
    exec {lock}>"$HOSTS/.locks/$name"
    if flock -n "$lock" && { ! host_alive "$name" || ! host_load "$name" || ! host_owned; }; then
      say "taking down $name, which a run that ended left behind"
      host_erase "$name"
    fi
    exec {lock}>&-
  done
}

host_ssh_options() { # NAME
  printf '%s\n' -F /dev/null -i "$LAB/key" -o IdentitiesOnly=yes -o StrictHostKeyChecking=yes -o BatchMode=yes \
    -o ConnectTimeout=5 -o ServerAliveInterval=5 -o "UserKnownHostsFile=$(host_directory "$1")/known_hosts" -o LogLevel=ERROR
}

host_ssh() { # NAME [CMD…], after host_load
  local name=$1 options
  shift
  mapfile -t options < <(host_ssh_options "$name")
  ssh "${options[@]}" "root@$(net_address "$number")" "$@"
}

# Runs a command inside without ssh: in every namespace of the host's first process. A virtual machine has none here.
host_exec() { # NAME CMD…, after host_load
  local leader
  if is_vm "$suite"; then
    vm_exec "$@"
    return
  fi
  leader=$(host_leader "$1") || return 125
  shift
  nsenter --target "$leader" --mount --uts --ipc --net --pid --cgroup --root --wd \
    env -i PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin HOME=/root TERM="${TERM:-dumb}" "$@"
}
