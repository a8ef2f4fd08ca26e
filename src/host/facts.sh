# Gathers what the plan needs to know of a host, in one exec, changing nothing. Read by src/domain/plan/facts.ts.
# Every fact is a section (src/domain/dockerd/sections.ts): CONTENT, newline, "--NONCE NAME", newline. The nonce is drawn here and now, so no
# content can be taken for another fact, whatever it holds.
# Put in before this text: api.sh, unread.sh, and MORE_PATHS: further files of settings that are wanted, one per line.
NL='
'
nonce=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
[ "${#nonce}" = 32 ] || exit 70
end() { printf '\n--%s %s\n' "$nonce" "$1"; }
say() { printf '%s' "$2"; end "$1"; }

# Paths of which everything (`file`), or only mode and owner (`look`), is wanted. They are read together at the end: a process for each
# would cost more than everything else. What does not begin with a slash would be an expression to find.
paths=
filed=
looked=
file() {
  case $1 in
    *"$NL"*) return 0 ;;
    # What lies there has content and no size.
    /proc/* | /sys/*) ;;
    /*) filed=$filed$1$NL ;;
  esac
  paths=$paths$1$NL
}
look() { case $1 in *"$NL"*) ;; /*) looked=$looked$1$NL ;; esac; }

# A file of settings: where it is a link, also the path that it leads to and what lies there.
followed() {
  file "$1"
  [ -L "$1" ] || return 0
  real=$(readlink -f -- "$1")
  case $real in '' | *"$NL"*) return 0 ;; esac
  say "leads:$1" "$real"
  file "$real"
}

# The attributes of what is there, in the order of asking, and then the content of the files among it, one after the other: they are cut
# by the sizes, so the two have to agree (src/domain/plan/host-files.ts). A file of more than 1 MiB has no content here.
paths_facts() {
  say paths "$paths"
  set -f
  IFS=$NL
  if find / -maxdepth 0 -printf '' 2>/dev/null; then
    find $filed -maxdepth 0 \( -type f ! -readable -printf 'u %m %U:%G 0\0%p\0\0' -o -printf '%y %m %U:%G %s\0%p\0%l\0' \) 2>/dev/null; end attributes
    find $filed -maxdepth 0 -type f -readable -size -1025k -exec cat -- {} + 2>/dev/null; end contents
    find $looked -maxdepth 0 -printf '%y %m %U:%G\0%p\0' 2>/dev/null; end modes
  else
    for path in $filed; do printf_path "$path" '%a %u:%g %s' link; done; end attributes
    for path in $filed; do
      if [ ! -L "$path" ] && [ -f "$path" ] && [ "$(stat -c %s -- "$path")" -le 1048576 ]; then cat -- "$path"; fi
    done; end contents
    for path in $looked; do printf_path "$path" '%a %u:%g'; done; end modes
  fi
  unset IFS
  set +f
}

# The same line as find's, where find (busybox) has no -printf: printf_path PATH FORMAT [link]
printf_path() {
  if [ -L "$1" ]; then kind=l; elif [ -f "$1" ]; then kind=f; elif [ -e "$1" ]; then kind=o; else return 0; fi
  printf '%s %s\0%s\0' "$kind" "$(stat -c "$2" -- "$1")" "$1"
  [ -z "${3:-}" ] || { if [ "$kind" = l ]; then readlink -n -- "$1"; fi; printf '\0'; }
}

# The units: systemd answers a block each, in this order, with an empty line in between.
show_units() {
  units=$(systemctl show docker.service docker.socket docker-tls.socket -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p DropInPaths -p MainPID -p ExecMainStartTimestamp -p EnvironmentFiles -p NeedDaemonReload -p TriggeredBy -p Listen -p Requires -p Requisite -p BindsTo 2>/dev/null)
  unit=${units%%"$NL$NL"*}
}

# A daemon that is just starting or stopping will be something else in a moment, as on a host that boots: wait for it.
settle_units() {
  tries=0
  show_units
  while [ "$tries" -lt 40 ]; do
    case $NL$unit$NL in
      *"${NL}ActiveState=activating$NL"* | *"${NL}ActiveState=deactivating$NL"* | *"${NL}ActiveState=reloading$NL"*) ;;
      *) return 0 ;;
    esac
    tries=$((tries + 1))
    sleep 0.5
    show_units
  done
}

# A list of paths as systemd writes it, one per line: spaces in between, and double quotes around what holds odd characters.
split_paths() {
  case $1 in
    *\"*) printf '%s\n' "$1" | sed 's/"\{0,1\} "\{0,1\}\//\n\//g; s/^"//; s/"$//; s/\\\(["\\$`]\)/\1/g' ;;
    *) printf '%s\n' $1 ;;
  esac
}

# `dropins` and `environment` hold one path per line.
read_unit() {
  pid=0 fragment='' dropins='' began='' environment='' triggers='' needs=''
  while IFS= read -r line; do
    value=${line#*=}
    case $line in
      MainPID=*) pid=$value ;;
      FragmentPath=*) fragment=$value ;;
      DropInPaths=?*) dropins=$(split_paths "$value")$NL ;;
      ExecMainStartTimestamp=*) began=$value ;;
      EnvironmentFiles=*)
        # Its only expansion is that of a pattern such as /etc/docker.d/*.env.
        IFS=$NL
        for path in ${value% (ignore_errors=*}; do environment=$environment$path$NL; done
        unset IFS
        ;;
      TriggeredBy=*) triggers=$value ;;
      Requires=* | Requisite=* | BindsTo=*) needs="$needs $value" ;;
    esac
  done <<UNIT
$unit
UNIT
}

# Programs that dockerd looks for when it starts, with where it finds them: in its own PATH, or beside it (moby: lookupBinPath).
program_facts() {
  search=$(cat "/proc/${pid:-0}/environ" 2>/dev/null | tr '\0' '\n' | sed -n 's/^PATH=//p')
  search=${search:-/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin}
  for name in iptables runc buildkit-runc docker-proxy; do
    where=$(PATH=$search:/usr/local/libexec/docker:/usr/libexec/docker:/usr/local/lib/docker:/usr/lib/docker command -v "$name")
    case $where in /*) printf '%s\n' "$where" ;; esac
  done
  end programs
}

# What the daemon is asked over its socket: it takes a while to answer. One that is not running would be started by the question.
daemon_facts() {
  dockerd=$(command -v dockerd)
  say dockerd "$dockerd"
  say api-socket "$socket"
  told=
  [ -z "$socket" ] || told=$(api "$socket" "$nonce" /version /info /containers/json)
  printf '%s\n' "$told"
  case $told in *" api 200 "*) ;; *) [ -z "$dockerd" ] || say dockerd-version "$("$dockerd" --version 2>/dev/null)" ;; esac
  # Another data-root, or a directory of its own for userns-remap.
  data=$(printf '%s\n' "$told" | sed -n 's/^.*"DockerRootDir":"\(\/[^"\\]*\)".*$/\1/p' | head -n 1)
  grep -Ho '"RestartPolicy":{"Name":"[a-z-]*"' "${data:-/var/lib/docker}"/containers/*/hostconfig.json 2>/dev/null | head -n 2000; end restart-policies
}

# What lies on the host.
host_facts() {
  while IFS= read -r path; do
    [ -z "$path" ] || followed "$path"
  done <<PATHS
$MORE_PATHS
PATHS
  say uid "$(id -u)"
  say clock "$(date +%s.%N)"
  name=
  read -r name </proc/sys/kernel/hostname
  say hostname "$name"
  say fqdn "$(timeout 2 hostname -f 2>/dev/null)"
  say system "$(uname -sm)"
  say os "$(cat /etc/os-release 2>/dev/null)"
  if [ -d /run/systemd/system ]; then
    say systemd "$(systemctl --version)"
  else
    say systemd ""
  fi
  ip -o addr show scope global 2>/dev/null; end addresses

  sockets=${units#*"$NL$NL"}
  say unit "$unit"
  say docker-socket "${sockets%%"$NL$NL"*}"
  say tls-socket "${sockets#*"$NL$NL"}"
  # Whatever it does not start without.
  others=
  for name in $needs; do
    case $name in docker.socket | docker-tls.socket | sysinit.target | *.slice | -*) ;; *) others="$others $name" ;; esac
  done
  [ -z "$others" ] || others=$(systemctl show $others -p Id -p LoadState 2>/dev/null)
  case " $needs " in *' docker.socket '*) own=${sockets%%"$NL$NL"*} ;; *) own= ;; esac
  [ -z "$own$others" ] || say needs "$own$NL$NL$others"
  # Whatever else hands sockets to the daemon.
  others=
  for name in $triggers; do
    case $name in docker-tls.socket | docker.socket) ;; *.socket) others="$others $name" ;; esac
  done
  case " $triggers " in *' docker.socket '*) own=${sockets%%"$NL$NL"*} ;; *) own= ;; esac
  [ -z "$others" ] || others=$(systemctl show $others -p Id -p ActiveState -p Listen 2>/dev/null)
  [ -z "$own$others" ] || say sockets "$own$NL$NL$others"
  for path in /etc/systemd/system/snap.docker*.service; do
    if [ -e "$path" ]; then say snap "$path"; break; fi
  done
  # Rootless daemons of users: the unit that their setup makes, and the socket of one that runs. A home that hangs is not waited for.
  timeout 5 sh -c 'set --
    while IFS=: read -r name word uid gid gecos home shell; do
      if [ -e "$home/.config/systemd/user/docker.service" ]; then set -- "$@" "$home/.config/systemd/user/docker.service"; fi
    done </etc/passwd
    for path in /run/user/*/docker.sock; do
      if [ -e "$path" ]; then set -- "$@" "$path"; fi
    done
    [ $# = 0 ] || stat -c "%U %n" -- "$@"' 2>/dev/null; end rootless

  if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null; end cmdline
  fi
  say drop-ins "$dropins"
  say environment-files "$environment"
  say unread "$(unread_units "$fragment" "$dropins")"
  set -f
  IFS=$NL
  for path in $fragment $dropins $environment; do followed "$path"; done
  followed /etc/docker/daemon.json
  # The CAs whose clients the daemon accepts, by a flag or as "tlscacert": dockerd's own default as well.
  for path in /root/.docker/ca.pem $(
    cat $fragment $dropins $environment "/proc/${pid:-0}/cmdline" $paths 2>/dev/null | tr -s "\0 \"'" '\n\n\n\n' |
      sed -n -e 's/^.*--tlscacert=//p' -e '/--tlscacert$/{n;p;}' -e '/^tlscacert$/{n;n;p;}'
  ); do
    case $path in /etc/docker/tls/current/*) ;; *) followed "$path" ;; esac
  done

  # Settings that were edited after the daemon had started: nobody knows yet whether it starts with them.
  if [ -n "$began" ] && [ "${pid:-0}" -gt 0 ]; then
    find -L /etc/docker/daemon.json $fragment $dropins $environment \
      -maxdepth 0 -newermt "$began 1 second" 2>/dev/null; end edited
  fi
  unset IFS
  set +f

  file /etc/systemd/system/docker-tls.socket
  file /etc/systemd/system/sockets.target.wants/docker-tls.socket
  file /etc/docker/tls/current
  for directory in /etc/docker/tls/current /etc/docker/tls/[0-9]*; do
    for name in ca.pem server-cert.pem; do
      if [ -e "$directory/$name" ]; then file "$directory/$name"; fi
    done
  done
  look /etc/docker/tls/current/server-key.pem
  for path in /etc/docker /etc/docker/tls /etc/docker/tls/*/; do look "${path%/}"; done
  file /var/lib/docker-tls/state.json
  file /run/docker-tls.lock
  [ -e /var/lib/docker-tls/txn/rollback.sh ] && say transaction "$(cat /var/lib/docker-tls/txn/id 2>/dev/null)"
  # What else is under our care: files of hardening, and ours of a docker.service that is not there any more. Never the content of a file of
  # which only mode and owner are ours.
  if [ -f /var/lib/docker-tls/origin/manifest ]; then
    while IFS='	' read -r index kind mode owner path; do
      case $kind:$NL$filed in
        *"$NL$path$NL"*) ;;
        file:* | absent:* | link:*) file "$path" ;;
      esac
    done </var/lib/docker-tls/origin/manifest
  fi
  # The states that rollback and remove go back to: the manifest and each file of every snapshot.
  for manifest in /var/lib/docker-tls/origin/manifest /var/lib/docker-tls/generations/*/manifest; do
    [ -f "$manifest" ] || continue
    file "$manifest"
    for path in "${manifest%/*}"/[0-9]*; do
      if [ -e "$path" ] || [ -L "$path" ]; then file "$path"; fi
    done
  done

  if command -v ss >/dev/null 2>&1; then
    ss -Hltnp 2>/dev/null | head -n 1000; end listeners
  else
    say listeners ""
  fi
  df -Pk /etc /var/lib /run 2>/dev/null; end disk
  df -Pk /run/systemd 2>/dev/null; end run-space
  program_facts
  if command -v iptables >/dev/null 2>&1; then for chain in INPUT OUTPUT; do iptables -S "$chain" 2>/dev/null | head -n 200; done; end iptables; fi
  if [ -f /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
    { grep '^DEFAULT_INPUT_POLICY=' /etc/default/ufw; cat /etc/ufw/user.rules; } 2>/dev/null | head -c 65536; end ufw
  fi
  if command -v nft >/dev/null 2>&1; then nft -s list ruleset 2>/dev/null | head -c 262144; end nft; fi
  if command -v firewall-cmd >/dev/null 2>&1 && systemctl -q is-active firewalld; then
    { timeout 5 firewall-cmd --list-ports; timeout 5 firewall-cmd --list-services; } 2>/dev/null; end firewalld
  fi
}

printf 'docker-tls-facts 1 %s\n' "$nonce"
settle_units
read_unit
socket=
if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then socket=$(local_socket "$pid"); fi
# Both at the same time; the daemon's answers wait in the pipe.
exec 3>&1
daemon_facts | { host_facts >&3; paths_facts >&3; cat >&3; }
end 'done'
