# Facts about the daemon on hosts with init scripts.
# Needs functions: find_daemon say
# Needs variables: NL host_kind pid uid
# Needs programs: cat date head sed

find_openrc() { without_systemd && [ -e /run/openrc/softlevel ] && by_script; }

find_sysvinit() { without_systemd && [ "$(cat /proc/1/comm)" = init ] && [ -d /etc/rcS.d ] && [ -d /etc/init.d ] && by_script; }

without_systemd() { [ "$uid" = 0 ] && [ ! -d /run/systemd/system ]; }

by_script() { reader=read_script teller=script_facts; }

# In the shape of systemd's answers: script, state, start time, and the path of the settings file.
read_script() {
  fragment='' dropins='' began='' environment='' triggers='' needs='' load=not-found state=inactive
  if [ -f /etc/init.d/docker ]; then
    load=loaded fragment=/etc/init.d/docker
    # OpenRC reads a settings file for its scripts; other scripts name their own.
    case $(head -n 1 /etc/init.d/docker) in
      *openrc-run*) environment=/etc/conf.d/docker$NL ;;
      *) environment=/etc/default/docker$NL ;;
    esac
  fi
  if find_daemon; then
    state=active
    # Start time in clock ticks after boot; the bracketed name may contain blanks.
    ticks=$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null)
    # shellcheck disable=SC2086 # fields
    set -- $ticks
    began=$(date -d "@$(($(sed -n 's/^btime //p' /proc/stat) + ${20:-0} / 100))" '+%Y-%m-%d %H:%M:%S')
  fi
}

# Does a boot start the daemon? OpenRC has a link in a runlevel; sysvinit has a link that begins with S in the boot runlevel.
starts_at_boot() {
  if [ "$host_kind" = openrc ]; then
    set -- /etc/runlevels/*/docker
  else
    level=$(sed -n 's/^id:\([2-5]\):initdefault:.*/\1/p' /etc/inittab 2>/dev/null)
    set -- /etc/rc[S${level:-2-5}].d/S[0-9][0-9]docker
  fi
  for path in "$@"; do [ ! -L "$path" ] || return 0; done
  return 1
}

script_facts() {
  if starts_at_boot; then enabled=enabled; else enabled=disabled; fi
  say unit "LoadState=$load${NL}ActiveState=$state${NL}UnitFileState=$enabled${NL}FragmentPath=$fragment${NL}MainPID=$pid"
  say docker-socket LoadState=not-found
  say tls-socket "LoadState=not-found${NL}ActiveState=inactive"
}
