# Modes and owners of files that are not written, and members of groups.
# Needs variables: TAB
# Needs programs: chmod chown cut getent gpasswd grep stat tr

state_attributes() { [ -e "$1" ] && stat -L -c "%a$TAB%u:%g" -- "$1"; }

# chown clears set-id bits.
set_attributes() { [ ! -e "$3" ] || { chown "$2" -- "$3" && chmod "$1" -- "$3"; }; }

# Is GROUP:USER in the group file?
is_member() {
  getent group "${1%%:*}" | cut -d: -f4 | tr ',' '\n' | grep -qxF -- "${1#*:}"
}

state_member() { if is_member "$1"; then printf 'present\t-'; else printf 'absent\t-'; fi; }

set_member() {
  case $1 in
    present) is_member "$3" || gpasswd -a "${3#*:}" "${3%%:*}" >/dev/null ;;
    absent) ! is_member "$3" || gpasswd -d "${3#*:}" "${3%%:*}" >/dev/null ;;
  esac
}
