# Linger state of a user: their systemd, and so their daemon, runs without a login.
# Needs functions: mark note warn
# Needs variables: T
# Needs programs: loginctl rm

# Prints the state from systemd's file: linger_state FILE
linger_state() { if [ -e "$1" ]; then printf present; else printf absent; fi; }

# set_linger present|absent. Lingering ends last of all (end_linger), because systemd then ends this script too.
set_linger() {
  case $1 in
    present) rm -f -- "$T/ends-linger" && loginctl --no-ask-password enable-linger ;;
    absent) mark ends-linger ;;
  esac
}

end_linger() {
  [ -e "$T/ends-linger" ] || return 0
  loginctl --no-ask-password disable-linger 2>/dev/null && return 0
  REMARK='services of this user still run without a login: loginctl disable-linger'
  note "$REMARK"
  warn "$REMARK"
}
