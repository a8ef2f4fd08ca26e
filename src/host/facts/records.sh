# What docker-tls has on the host, and what may stand in its way.
# Needs functions: end file look say
# Needs variables: NL SERVICE TLS_SOCKET filed host_kind
# Needs programs: cat df firewall-cmd grep head iptables nft sed ss systemctl timeout

# What docker-tls itself has on the host.
record_facts() {
  file "/etc/systemd/system/$TLS_SOCKET"
  file "/etc/systemd/system/sockets.target.wants/$TLS_SOCKET"
  # A service of ours, which is not there before the first change.
  if [ "$host_kind" = podman ]; then
    file "/etc/systemd/system/$SERVICE"
    file "/etc/systemd/system/multi-user.target.wants/$SERVICE"
  fi
  file /etc/docker/tls/current
  for directory in /etc/docker/tls/current /etc/docker/tls/[0-9]*; do
    for name in ca.pem server-cert.pem; do
      if [ -e "$directory/$name" ]; then file "$directory/$name"; fi
    done
  done
  look /etc/docker/tls/current/server-key.pem
  for path in /etc/docker /etc/docker/tls /etc/docker/tls/*/; do look "${path%/}"; done
  file /var/lib/docker-tls/state.json
  file /var/lib/docker-tls/packages
  file /run/docker-tls.lock
  [ -e /var/lib/docker-tls/txn/rollback.sh ] && say transaction "$(cat /var/lib/docker-tls/txn/id 2>/dev/null)"
  # What else is under our care: files of hardening, and ours of a docker.service that is no longer there. Never the content of a file of
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
}

# Whatever listens, room on disks, and firewalls.
network_facts() {
  if command -v ss >/dev/null 2>&1; then
    ss -Hltnp 2>/dev/null | head -n 1000
    end listeners
  else
    say listeners ""
  fi
  df -Pk /etc /var/lib /run /etc/docker /etc/systemd/system /var/lib/docker-tls 2>/dev/null
  end disk
  df -Pk /run/systemd 2>/dev/null
  end run-space
  # Where, and how: the options of the mount, and of its file system.
  sed -n 's/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/[^ ]*\) \([^ ]*\) .* \([^ ]*\)$/\1 \2,\3/p' /proc/self/mountinfo | grep -vE '^/(proc|sys|dev|var/lib/docker/|run/docker/)' | head -n 500
  end mounts
  if command -v iptables >/dev/null 2>&1; then
    for chain in INPUT OUTPUT; do iptables -S "$chain" 2>/dev/null | head -n 200; done
    end iptables
  fi
  if [ -f /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
    {
      grep '^DEFAULT_INPUT_POLICY=' /etc/default/ufw
      cat /etc/ufw/user.rules
    } 2>/dev/null | head -c 65536
    end ufw
  fi
  if command -v nft >/dev/null 2>&1; then
    nft -s list ruleset 2>/dev/null | head -c 262144
    end nft
  fi
  if command -v firewall-cmd >/dev/null 2>&1 && systemctl -q is-active firewalld; then
    {
      timeout 5 firewall-cmd --list-ports
      timeout 5 firewall-cmd --list-services
    } 2>/dev/null
    end firewalld
  fi
}
