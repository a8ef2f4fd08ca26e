# Pause of the TLS port just before dockerd stops: new connections wait at the firewall.
# Needs functions: mark
# Needs variables: T
# Needs programs: nft rm sleep ss timeout

# A stopping dockerd resets connections that it has just accepted (20.10 and 28.5 do). The rule therefore drops the first packet of new
# clients just before the stop. The client's kernel sends it again a second later, when systemd holds the port. Hosts without nft and
# iptables skip this. `held` names the ports before the rules exist, so `undo` always releases them first. hold_port PORTS, one per line
hold_port() {
  # Removes rules of a killed attempt: the release removes only one set.
  release_port
  [ -n "$1" ] && command -v ss >/dev/null || return 0
  for port in $1; do printf '%s\n' "$port"; done >"$T/held" || return 0
  if ! hold_by_nft; then
    command -v iptables >/dev/null && mark held-by-iptables || return 0
    iptables_rules -I
  fi
  tries=0
  while [ "$tries" -lt 60 ] && under_way; do
    tries=$((tries + 1))
    sleep 0.05
  done
}

# Is a connection to a held port in use: has its client sent data in the last 3 s? A client that is silent for longer follows a stream or
# keeps the connection for later; waiting does not help it.
under_way() {
  while IFS= read -r port <&4; do
    sockets=$(ss -Htin state established "( sport = :$port )")
    IFS='
'
    for line in $sockets; do
      # The details of a connection follow on the next line, indented by blanks.
      case $line in
        [![:space:]]* | *lastrcv:[3-9][0-9][0-9][0-9]* | *lastrcv:[1-9][0-9][0-9][0-9][0-9]*) ;;
        *)
          unset IFS
          return 0
          ;;
      esac
    done
    unset IFS
  done 4<"$T/held"
  return 1
}

# A separate table, before all other rules, created atomically.
hold_by_nft() {
  command -v nft >/dev/null || return 1
  {
    printf 'table inet docker-tls-hold {\nchain input {\ntype filter hook input priority -300; policy accept;\n'
    while IFS= read -r port; do printf 'tcp dport %s tcp flags & (fin|syn|rst|ack) == syn drop\n' "$port"; done <"$T/held"
    printf '}\n}\n'
  } | timeout 5 nft -f - 2>/dev/null 9<&-
}

# Inserts (-I) or deletes (-D) the rules that hold the port. A program in its own SELinux domain inherits none of our files, not even open
# ones.
iptables_rules() {
  while IFS= read -r port <&4; do
    for tool in iptables ip6tables; do
      timeout 5 "$tool" -w 2 "$1" INPUT -p tcp --dport "$port" --syn -m comment --comment docker-tls-hold -j DROP 2>/dev/null 4<&- 9<&-
    done
  done 4<"$T/held"
  return 0
}

release_port() {
  [ -e "$T/held" ] || return 0
  # Even if nft failed: a killed nft may have created the table.
  if command -v nft >/dev/null; then timeout 5 nft delete table inet docker-tls-hold 2>/dev/null 9<&-; fi
  if [ -e "$T/held-by-iptables" ]; then iptables_rules -D; fi
  rm -f -- "$T/held" "$T/held-by-iptables"
}
