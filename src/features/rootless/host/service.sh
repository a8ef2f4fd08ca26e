# Differences of a rootless daemon. This module follows systemd's modules, and overrides their functions.
# Needs functions: find_own_daemon runs own_manager same_daemon
# Needs variables: KNOWN

own_manager

find_daemon() { { [ "$KNOWN" = no ] && same_daemon; } || { runs && find_own_daemon; }; }

# systemd's main process is RootlessKit, which has a socket of its own.
note_started() { :; }

# A user cannot change the firewall.
hold_port() { :; }
release_port() { :; }
