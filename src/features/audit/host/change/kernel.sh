# Kernel settings at run time, and the firewall rule that keeps containers off the host's loopback.
# Needs functions: warn
# Needs programs: cat iptables timeout tr

# Swaps `.` and `/`, as in sysctl(8): an interface name may contain a dot.
sysctl_path() { printf /proc/sys/ && printf '%s' "$1" | tr ./ /.; }

# Prints the running value of a setting. If its key has a `*`, prints the value of each interface, including all and default:
# `NAME=VALUE …`.
sysctl_value() {
  place=$(sysctl_path "$1")
  case $1 in *'*'*) ;; *)
    cat "$place" 2>/dev/null
    return
    ;;
  esac
  values=
  for file in $place; do
    # With cat: a shell reads one byte at a time, and the kernel answers only the first read.
    value=$(cat "$file" 2>/dev/null) || continue
    name_interface
    values="$values $name=$value"
  done
  [ -n "$values" ] && printf '%s\n' "${values# }"
}

# Sets `name` to the interface of `file`.
name_interface() {
  name=${file#"${place%%\**}"}
  name=${name%%/*}
}

# A setting that cannot be reverted is a warning and does not stop the rollback.
set_sysctl() {
  place=$(sysctl_path "$3")
  case $3 in *'*'*)
    set_interfaces " $1 "
    return
    ;;
  esac
  now=$(cat "$place" 2>/dev/null) || return 0
  if [ "$now" = "$1" ]; then return 0; fi
  printf '%s\n' "$1" >"$place" && return 0
  [ "$3" = kernel.unprivileged_bpf_disabled ] || return 1
  REMARK="$3 stays $now until the next boot, since the kernel does not set it back"
  warn "$REMARK"
}

# An interface without a recorded value was added later, and gets the default. The default comes first, because the kernel copies it to
# interfaces.
set_interfaces() {
  usual=${1#* default=} failed=0
  usual=${usual%% *}
  for file in "${place%%\**}default${place#*\*}" $place; do
    now=$(cat "$file" 2>/dev/null) || continue
    name_interface
    wanted=$usual
    case $1 in *" $name="*)
      wanted=${1#*" $name="}
      wanted=${wanted%% *}
      ;;
    esac
    # The interface may disappear during the loop.
    [ "$now" = "$wanted" ] || printf '%s\n' "$wanted" >"$file" || [ ! -e "$file" ] || failed=1
  done
  return "$failed"
}

# Without docker-proxy, dockerd sets route_localnet on its bridges and never resets it, so packets from them to 127.0.0.0/8 would be
# accepted. The rule drops them before routing. The drop-in has the same rule (src/features/audit/domain/loopback.ts), for every start of
# dockerd.
loopback_rule() {
  timeout 5 iptables -w 2 -t raw "$1" PREROUTING ! -i lo -d 127.0.0.0/8 -m comment --comment docker-tls -j DROP 3<&- 9<&-
}

# Does the rule exist? 1: no. Other: unknown, for instance while another program holds the iptables lock (4).
has_rule() {
  answer=$(loopback_rule -C 2>&1)
  asked=$?
  # No rule without iptables (127), or if the kernel lacks that table (3).
  case $asked in 3 | 127) asked=1 ;; esac
  [ "$asked" -gt 1 ] || return "$asked"
  printf 'iptables -C: %s (status %s)\n' "$answer" "$asked" >&2
  return 2
}

state_sysctl() { value=$(sysctl_value "$1") && printf '%s\t-' "$value"; }

# `dropped`, or without a rule the values of the interfaces.
state_loopback() {
  has_rule && printf 'dropped\t-' && return
  [ $? != 2 ] || return 2
  state_sysctl "$1"
}

# Keeps the rule while an interface accepts such packets.
set_loopback() {
  if [ "$1" = dropped ]; then
    has_rule && return
    [ $? = 1 ] && loopback_rule -I
    return
  fi
  set_sysctl "$@" || return 1
  # Removes duplicates too.
  while has_rule; do loopback_rule -D || return 1; done
  [ "$asked" = 1 ]
}
