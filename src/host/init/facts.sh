# What is known of the daemon where init runs scripts.
# Needs functions: find_daemon say
# Needs variables: NL pid
# Needs programs: date head sed

# In the shape of systemd's answers: what starts it, whether it runs, since when, and the file that its settings stand in.
read_script() {
  fragment='' dropins='' began='' environment='' triggers='' needs='' load=not-found state=inactive
  if [ -f /etc/init.d/docker ]; then
    load=loaded fragment=/etc/init.d/docker
    # OpenRC reads a file of settings for its own scripts; others say themselves where theirs is.
    case $(head -n 1 /etc/init.d/docker) in
      *openrc-run*) environment=/etc/conf.d/docker$NL ;;
      *) environment=/etc/default/docker$NL ;;
    esac
  fi
  if find_daemon; then
    state=active
    # Its start in clock ticks after the boot; the name in brackets may hold blanks.
    ticks=$(sed 's/^.*) //' "/proc/$pid/stat" 2>/dev/null)
    # shellcheck disable=SC2086 # fields
    set -- $ticks
    began=$(date -d "@$(($(sed -n 's/^btime //p' /proc/stat) + ${20:-0} / 100))" '+%Y-%m-%d %H:%M:%S')
  fi
}

script_facts() {
  say unit "LoadState=$load${NL}ActiveState=$state${NL}FragmentPath=$fragment${NL}MainPID=$pid"
  say docker-socket LoadState=not-found
  say tls-socket "LoadState=not-found${NL}ActiveState=inactive"
}
