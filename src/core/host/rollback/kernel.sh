# Running values of the kernel, and the firewall rule that keeps containers off the host's loopback.
# Needs functions: warn
# Needs programs: cat iptables timeout tr

# `.` and `/` change places, as in sysctl(8): the name of an interface may have a dot.
sysctl_path() { printf /proc/sys/ && printf '%s' "$1" | tr ./ /.; }

# The running value of a setting; where its key has a `*`, that of each interface, all and default among them: `NAME=VALUE …`.
sysctl_value() {
  place=$(sysctl_path "$1")
  case $1 in *'*'*) ;; *)
    cat "$place" 2>/dev/null
    return
    ;;
  esac
  values=
  for file in $place; do
    # By cat: a shell reads one byte at a time, and the kernel answers but the first of these.
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

# set_sysctl KEY VALUE. One of them goes one way only: that is a warning, and no reason to stop.
set_sysctl() {
  place=$(sysctl_path "$1")
  case $1 in *'*'*)
    set_interfaces " $2 "
    return
    ;;
  esac
  now=$(cat "$place" 2>/dev/null) || return 0
  if [ "$now" = "$2" ]; then return 0; fi
  printf '%s\n' "$2" >"$place" && return 0
  [ "$1" = kernel.unprivileged_bpf_disabled ] || return 1
  REMARK="$1 stays $now until the next boot, since the kernel does not set it back"
  warn "$REMARK"
}

# An interface that is not named came later, and gets what is the default. That comes first: the kernel hands it to interfaces.
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
    # It may go meanwhile.
    [ "$now" = "$wanted" ] || printf '%s\n' "$wanted" >"$file" || [ ! -e "$file" ] || failed=1
  done
  return "$failed"
}

# Without docker-proxy, dockerd sets route_localnet on its bridges, and never sets it back: what comes over them for 127.0.0.0/8 would be let in.
# It is dropped before anything is routed. The same rule is in the drop-in (src/features/audit/domain/loopback.ts), for every start of dockerd.
loopback_rule() {
  timeout 5 iptables -w 2 -t raw "$1" PREROUTING ! -i lo -d 127.0.0.0/8 -m comment --comment docker-tls -j DROP 3<&- 9<&-
}

# Is the rule there? 1: it is not; else it cannot be known, as while another program holds the lock of iptables (4).
has_rule() {
  answer=$(loopback_rule -C 2>&1)
  asked=$?
  # Without iptables (127) there is none, and none in a kernel without that table (3).
  case $asked in 3 | 127) asked=1 ;; esac
  [ "$asked" -gt 1 ] || return "$asked"
  printf 'iptables -C: %s (status %s)\n' "$answer" "$asked" >&2
  return 2
}

# What is kept of a setting; of packets to the loopback `dropped`, or where there is no rule the values of the interfaces: kernel_value KIND KEY.
# 1: the kernel does not have it; 2: it cannot be known.
kernel_value() {
  if [ "$1" = loopback ]; then
    has_rule && echo dropped && return
    [ $? != 2 ] || return 2
  fi
  sysctl_value "$2"
}

# The rule is there as long as an interface lets such packets in: set_loopback STATE KEY
set_loopback() {
  if [ "$1" = dropped ]; then
    has_rule && return
    [ $? = 1 ] && loopback_rule -I
    return
  fi
  set_sysctl "$2" "$1" || return 1
  # Also one that was put in twice.
  while has_rule; do loopback_rule -D || return 1; done
  [ "$asked" = 1 ]
}
