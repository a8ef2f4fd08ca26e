# Linger state of a user: their systemd, and so their daemon, runs without a login.
# Needs functions: mark note warn
# Needs variables: T
# Needs programs: loginctl rm

# From systemd's file.
state_linger() { if [ -e "$1" ]; then printf 'present\t-'; else printf 'absent\t-'; fi; }

# Lingering ends last of all (mark `ends-linger`), because systemd then ends this script too.
set_linger() {
  case $1 in
    present) rm -f -- "$T/ends-linger" && loginctl --no-ask-password enable-linger ;;
    absent) mark ends-linger ;;
  esac
}

last_linger() {
  [ -e "$T/ends-linger" ] || return 0
  loginctl --no-ask-password disable-linger 2>/dev/null && return 0
  REMARK='services of this user still run without a login: loginctl disable-linger'
  note "$REMARK"
  warn "$REMARK"
}
