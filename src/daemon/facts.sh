# Gathers what the plan needs to know of a host, in one exec, changing nothing.
# Every fact is one line, `name base64`, so that no content can be taken for another fact.
# Variables put in before this text: PORT (the port we would serve).
export LC_ALL=C
PATH=/usr/sbin:/usr/bin:/sbin:/bin:$PATH
if base64 -w0 </dev/null >/dev/null 2>&1; then
  emit() { printf '%s ' "$1"; base64 -w0; printf '\n'; }
else
  emit() { printf '%s ' "$1"; base64 | tr -d '\n'; printf '\n'; }
fi
say() { printf '%s' "$2" | emit "$1"; }

# The content and attributes of a file, link or absence.
file() {
  if [ -L "$1" ]; then
    printf 'link %s\n%s' "$(stat -c '%a %u:%g' -- "$1")" "$(readlink -- "$1")" | emit "file:$1"
  elif [ -f "$1" ]; then
    { printf 'file %s\n' "$(stat -c '%a %u:%g' -- "$1")"; head -c 1048576 -- "$1"; } | emit "file:$1"
  elif [ -e "$1" ]; then
    printf 'other %s\n' "$(stat -c '%a %u:%g' -- "$1")" | emit "file:$1"
  else
    printf 'absent' | emit "file:$1"
  fi
}

# GET of a path of Docker's API over the local socket, by whatever the host has.
api() {
  sock=/var/run/docker.sock
  [ -S "$sock" ] || return 1
  if command -v curl >/dev/null 2>&1; then
    timeout 10 curl -s --unix-socket "$sock" "http://docker$1" && return 0
  fi
  if command -v python3 >/dev/null 2>&1; then
    timeout 10 python3 -c 'import http.client,socket,sys
c=http.client.HTTPConnection("docker")
c.sock=socket.socket(socket.AF_UNIX); c.sock.connect(sys.argv[1])
c.request("GET",sys.argv[2]); sys.stdout.buffer.write(c.getresponse().read())' "$sock" "$1" && return 0
  fi
  if command -v perl >/dev/null 2>&1; then
    timeout 10 perl -MIO::Socket::UNIX -e '$s=IO::Socket::UNIX->new(Peer=>$ARGV[0]) or exit 1;
print $s "GET $ARGV[1] HTTP/1.0\r\nHost: docker\r\n\r\n"; local $/; $_=<$s>; s/^.*?\r\n\r\n//s; print' "$sock" "$1" && return 0
  fi
  return 1
}

# What the daemon is asked over its socket: it takes a while to answer.
daemon_facts() {
  dockerd=$(command -v dockerd)
  say dockerd "$dockerd"
  version=$(api /version)
  say version "$version"
  [ -n "$version" ] || [ -z "$dockerd" ] || say dockerd-version "$("$dockerd" --version 2>/dev/null)"
  api /info | emit info
  api /containers/json | emit containers
  for path in /var/lib/docker/containers/*/hostconfig.json; do
    [ -f "$path" ] || continue
    id=${path%/hostconfig.json}
    printf '%s %s\n' "${id##*/}" "$(grep -o '"RestartPolicy":{"Name":"[a-z-]*"' "$path" | sed 's/.*:"//; s/"$//')"
  done | head -n 2000 | emit restart-policies
}

# What lies on the host.
host_facts() {
  say uid "$(id -u)"
  say clock "$(date +%s.%N)"
  say hostname "$(hostname 2>/dev/null || cat /proc/sys/kernel/hostname)"
  say fqdn "$(timeout 2 hostname -f 2>/dev/null)"
  say system "$(uname -sm)"
  say os "$(cat /etc/os-release 2>/dev/null)"
  if [ -d /run/systemd/system ]; then
    say systemd "$(systemctl --version | head -n 1)"
  else
    say systemd ""
  fi
  ip -o addr show scope global 2>/dev/null | emit addresses

  unit=$(systemctl show docker.service -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p DropInPaths -p MainPID -p ExecMainStartTimestamp -p EnvironmentFiles -p NeedDaemonReload 2>/dev/null)
  say unit "$unit"
  say docker-socket "$(systemctl show docker.socket -p LoadState -p ActiveState -p UnitFileState 2>/dev/null)"
  say tls-socket "$(systemctl show docker-tls.socket -p LoadState -p ActiveState 2>/dev/null)"
  say other-units "$(systemctl list-unit-files --no-legend 'snap.docker*' 'podman.socket' 2>/dev/null | head -n 5)"

  get() { printf '%s\n' "$unit" | sed -n "s/^$1=//p"; }
  pid=$(get MainPID)
  if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then
    tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null | emit cmdline
  fi
  for path in $(get FragmentPath) $(get DropInPaths); do file "$path"; done
  printf '%s\n' "$unit" | sed -n 's/^EnvironmentFiles=\([^ ]*\).*/\1/p' | while read -r path; do file "$path"; done
  # An administrator's own --config-file, as the unit or the running daemon has it.
  for path in /etc/docker/daemon.json $(
    cat $(get FragmentPath) $(get DropInPaths) "/proc/${pid:-0}/cmdline" 2>/dev/null | tr '\0 ' '\n\n' |
      sed -n -e 's/^--config-file=//p' -e '/^--config-file$/{n;p;}' | tr -d "\"'" | sort -u
  ); do
    file "$path"
  done

  # Settings that were edited after the daemon had started: nobody knows yet whether it starts with them.
  began=$(get ExecMainStartTimestamp)
  if [ -n "$began" ] && [ "${pid:-0}" -gt 0 ]; then
    find -L /etc/docker/daemon.json $(get FragmentPath) $(get DropInPaths) \
      $(printf '%s\n' "$unit" | sed -n 's/^EnvironmentFiles=\([^ ]*\).*/\1/p') \
      -maxdepth 0 -newermt "$began 1 second" 2>/dev/null | emit edited
  fi

  file /etc/systemd/system/docker-tls.socket
  file /etc/systemd/system/sockets.target.wants/docker-tls.socket
  file /etc/docker/tls/current
  for folder in /etc/docker/tls/current /etc/docker/tls/[0-9]*; do
    for name in ca.pem server-cert.pem; do
      if [ -e "$folder/$name" ]; then file "$folder/$name"; fi
    done
  done
  if [ -e /etc/docker/tls/current/server-key.pem ]; then
    say server-key "$(stat -L -c '%a %u:%g' /etc/docker/tls/current/server-key.pem)"
  fi
  for path in /etc/docker /etc/docker/tls /etc/docker/tls/*/; do
    [ -d "$path" ] && stat -c '%a %u:%g %n' "${path%/}"
  done | emit folders
  file /var/lib/docker-tls/state.json
  file /run/docker-tls.lock
  [ -e /var/lib/docker-tls/txn/way-back.sh ] && say transaction "$(cat /var/lib/docker-tls/txn/id 2>/dev/null)"
  # What hardening manages besides; never the content of a file of which only mode and owner are ours.
  if [ -f /var/lib/docker-tls/origin/manifest ]; then
    while IFS='	' read -r index kind mode owner path; do
      case $kind:$path in
        file:/etc/ssh/* | absent:/etc/ssh/* | file:/etc/audit/* | absent:/etc/audit/* | file:/etc/default/*) file "$path" ;;
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
    ss -Hltnp "sport = :$PORT" 2>/dev/null | emit listeners
  else
    say listeners ""
  fi
  df -Pk /etc /var/lib /run 2>/dev/null | emit disk
  if command -v iptables >/dev/null 2>&1; then iptables -S INPUT 2>/dev/null | head -n 200 | emit iptables; fi
  if [ -f /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
    cat /etc/ufw/user.rules 2>/dev/null | head -c 65536 | emit ufw
  fi
  if command -v nft >/dev/null 2>&1; then nft -s list ruleset 2>/dev/null | head -c 262144 | emit nft; fi
  if command -v firewall-cmd >/dev/null 2>&1 && systemctl -q is-active firewalld; then
    { timeout 5 firewall-cmd --list-ports; timeout 5 firewall-cmd --list-services; } 2>/dev/null | emit firewalld
  fi
}

# Both at the same time; the daemon's answers wait in the pipe.
exec 3>&1
daemon_facts | { host_facts >&3; cat >&3; }
say end ok
