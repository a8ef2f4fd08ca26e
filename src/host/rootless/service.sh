# The daemon of a user: what differs from the host's own. It comes behind the modules of systemd, and the last definition of a function counts.
# Needs functions: find_own_daemon is_up own_manager
# Needs variables: LIMIT SERVICE TLS_SOCKET
# Needs programs: journalctl systemctl timeout

own_manager

find_daemon() { is_up && find_own_daemon; }

service() { timeout "$LIMIT" systemctl --user "$@" 9<&-; }

last_words() {
  timeout 10 journalctl --user -u "$SERVICE" -u "$TLS_SOCKET" --since "@$1" -n 400 --no-pager -o cat 2>/dev/null
}

# No user may change the firewall.
hold_port() { :; }
release_port() { :; }
