# A user's systemd instead of the host's, for every call to systemctl and journalctl.
# Needs programs: id

own_manager() {
  XDG_RUNTIME_DIR=/run/user/$(id -u)
  export XDG_RUNTIME_DIR
  WHOSE=--user
  systemctl() { command systemctl $WHOSE "$@"; }
  journalctl() { command journalctl $WHOSE "$@"; }
}
