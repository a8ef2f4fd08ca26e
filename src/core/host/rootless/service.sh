# The daemon of a user: what differs from the host's own. It comes behind the modules of systemd, and the last definition of a function counts.
# Needs functions: find_own_daemon runs own_manager same_daemon
# Needs variables: KNOWN

own_manager

find_daemon() { { [ "$KNOWN" = no ] && same_daemon; } || { runs && find_own_daemon; }; }

# No user may change the firewall.
hold_port() { :; }
release_port() { :; }
