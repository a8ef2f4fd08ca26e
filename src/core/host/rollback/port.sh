# The TLS port in the moment before dockerd stops: new connections wait at the firewall.
# Needs functions: mark
# Needs variables: T
# Needs programs: nft rm sed sleep ss timeout

# When it stops, dockerd cuts connections that it has only just taken (20.10 and 28.5 do so). Therefore no new client gets to it in the
# moment before: a first packet that is dropped is sent again by the client's kernel a second later, and then systemd holds the port.
# A host without nft and iptables goes without. `held` names the ports before the rules are there: whatever dies, `undo` lets them go first.
# hold_port PORTS, one per line
hold_port() {
  # Rules of a try that was killed: a second set would outlive the release, which takes out one.
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

# Is a connection to one of the held ports under way: one whose client has sent something in the last 3 s? Who is silent for longer
# listens to a stream or keeps the connection for later; waiting changes nothing for those.
under_way() {
  while IFS= read -r port <&4; do
    sockets=$(ss -Htin state established "( sport = :$port )")
    IFS='
'
    for line in $sockets; do
      # Behind the line of each connection is one of what it did, which begins with blanks.
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

# A table of our own, before every rule of others, in one step: it is there whole or not at all.
hold_by_nft() {
  command -v nft >/dev/null || return 1
  {
    printf 'table inet docker-tls-hold {\nchain input {\ntype filter hook input priority -300; policy accept;\n'
    sed 's/.*/tcp dport & tcp flags \& (fin|syn|rst|ack) == syn drop/' "$T/held"
    printf '}\n}\n'
  } | timeout 5 nft -f - 2>/dev/null 9<&-
}

# Puts in (-I) or takes out (-D) the rules that hold the port. A program with a domain of its own (SELinux) gets none of our files, not even open ones.
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
  # Also where nft has failed: one that was killed may have done its work.
  if command -v nft >/dev/null; then timeout 5 nft delete table inet docker-tls-hold 2>/dev/null 9<&-; fi
  if [ -e "$T/held-by-iptables" ]; then iptables_rules -D; fi
  rm -f -- "$T/held" "$T/held-by-iptables"
}
