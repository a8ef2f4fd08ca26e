# Records of docker-tls on the host, and obstacles to a change.
# Needs functions: end file look lost_guard say
# Needs variables: NL ROOM RUN STATE TLS_DIRECTORY TLS_SOCKET UNITS filed
# Needs programs: cat df flock grep head iptables sed ss

# Did a rollback fail that completes once the daemon runs again? Not if the daemon did not run before the change.
awaits_daemon() { [ -e "$STATE/txn/failed" ] && ! grep -q "^WAS_ACTIVE='\{0,1\}no" "$STATE/txn/settings" 2>/dev/null; }

# Files and state of docker-tls on the host.
record_facts() {
  file "$UNITS/$TLS_SOCKET"
  file "$UNITS/sockets.target.wants/$TLS_SOCKET"
  file "$UNITS/docker-tls-closed.service"
  file "$TLS_DIRECTORY/current"
  for directory in "$TLS_DIRECTORY/current" "$TLS_DIRECTORY"/[0-9]*; do
    for name in ca.pem server-cert.pem; do
      if [ -e "$directory/$name" ]; then file "$directory/$name"; fi
    done
  done
  look "$TLS_DIRECTORY/current/server-key.pem"
  # Follows a link too.
  look "$STATE/."
  for path in "${TLS_DIRECTORY%/*}" "$TLS_DIRECTORY" "$TLS_DIRECTORY"/*/; do look "${path%/}"; done
  file "$STATE/state.json"
  file "$STATE/packages"
  file "$STATE/listener-packages"
  file "$RUN/docker-tls.lock"
  [ -e "$STATE/txn/rollback.sh" ] && say transaction "$(cat "$STATE/txn/id" 2>/dev/null)"
  # A running change or rollback holds the mutex.
  lost_guard "$STATE/txn" && (flock -n 9) 9<"$RUN" && say abandoned yes
  awaits_daemon && say rollback-failed yes
  # Other managed paths: hardening files, and drop-ins of a removed docker.service. Never the content of a file of which docker-tls
  # manages only mode and owner.
  if [ -f "$STATE/origin/manifest" ]; then
    while IFS='	' read -r index kind mode owner path; do
      case $kind:$NL$filed in
        *"$NL$path$NL"*) ;;
        file:* | absent:* | link:*) file "$path" ;;
      esac
    done <"$STATE/origin/manifest"
  fi
  # The states that rollback and remove restore: the manifest and each file of every snapshot.
  for manifest in "$STATE/origin/manifest" "$STATE"/generations/*/manifest; do
    [ -f "$manifest" ] || continue
    file "$manifest"
    for path in "${manifest%/*}"/[0-9]*; do
      if [ -e "$path" ] || [ -L "$path" ]; then file "$path"; fi
    done
  done
}

# Listening sockets, free disk space, and tools of a firewall.
network_facts() {
  if command -v ss >/dev/null 2>&1; then
    ss -Hltnp 2>/dev/null | head -n 1000
    end listeners
  else
    say listeners ""
  fi
  # systemd's runtime directory comes last; no change writes to it.
  space=$(df -Pk $ROOM "$RUN" "${TLS_DIRECTORY%/*}" "$UNITS" "$STATE" /run/systemd 2>/dev/null)
  if [ -d /run/systemd ]; then
    say run-space "${space%%"$NL"*}$NL${space##*"$NL"}"
    space=${space%"$NL"*}
  fi
  say disk "$space"
  say inodes "$(df -Pi $ROOM "$RUN" "${TLS_DIRECTORY%/*}" "$UNITS" "$STATE" 2>/dev/null)"
  # Mount points, and the options of the mount and of its file system.
  sed -n -e 's/^[^ ]* [^ ]* [^ ]* [^ ]* \(\/[^ ]*\) \([^ ]*\) .* \([^ ]*\)$/\1 \2,\3/' -e '/^\/proc/d' -e '/^\/sys/d' -e '/^\/dev/d' \
    -e '/^\/var\/lib\/docker\//d' -e '/^\/run\/docker\//d' -e '/^\//p' -e 5000q /proc/self/mountinfo
  end mounts
  # Tools that can delay new connections during a restart.
  if command -v iptables >/dev/null 2>&1; then
    iptables -S INPUT 2>/dev/null | head -n 200
    end iptables
  fi
  if command -v nft >/dev/null 2>&1; then say nft yes; fi
  firewall_facts
}

# Further facts about a firewall, by a feature.
firewall_facts() { :; }
