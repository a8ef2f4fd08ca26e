# The systemd of a user, in place of the host's: whatever calls systemctl or journalctl means that one.
# Needs programs: id

own_manager() {
  XDG_RUNTIME_DIR=/run/user/$(id -u)
  export XDG_RUNTIME_DIR
  WHOSE=--user
  systemctl() { command systemctl $WHOSE "$@"; }
  journalctl() { command journalctl $WHOSE "$@"; }
}
