# systemd's facts about the daemon's units.
# Needs functions: say
# Needs variables: LOCAL_SOCKET NL PARTS SERVICE TLS_SOCKET
# Needs programs: grep sed sleep systemctl systemd-analyze

# systemd prints one block per unit in this order, separated by empty lines.
show_units() {
  units=$(systemctl show "$SERVICE" "$LOCAL_SOCKET" "$TLS_SOCKET" -p Id -p LoadState -p ActiveState -p SubState -p UnitFileState -p FragmentPath -p DropInPaths -p MainPID -p ExecMainStartTimestamp -p EnvironmentFiles -p NeedDaemonReload -p TriggeredBy -p Listen -p Requires -p Requisite -p BindsTo -p CanStart -p CanStop 2>/dev/null)
  unit=${units%%"$NL$NL"*}
}

# Waits while the daemon is starting or stopping, as on a booting host.
settle_units() {
  tries=0
  show_units
  while [ "$tries" -lt 40 ]; do
    case $NL$unit$NL in
      *"${NL}ActiveState=activating$NL"* | *"${NL}ActiveState=deactivating$NL"* | *"${NL}ActiveState=reloading$NL"*) ;;
      *) return 0 ;;
    esac
    tries=$((tries + 1))
    sleep 0.5
    show_units
  done
}

# Splits a list of paths from systemd, one per line: separated by spaces, with double quotes around paths with special characters.
split_paths() {
  case $1 in
    *\"*) printf '%s\n' "$1" | sed 's/"\{0,1\} "\{0,1\}\//\n\//g; s/^"//; s/"$//; s/\\\(["\\$`]\)/\1/g' ;;
    *) printf '%s\n' $1 ;;
  esac
}

# `dropins` and `environment` hold one path per line.
read_unit() {
  pid=0 fragment='' dropins='' began='' environment='' triggers='' needs=''
  while IFS= read -r line; do
    value=${line#*=}
    case $line in
      MainPID=*) pid=$value ;;
      FragmentPath=*) fragment=$value ;;
      DropInPaths=?*) dropins=$(split_paths "$value")$NL ;;
      ExecMainStartTimestamp=*) began=$value ;;
      EnvironmentFiles=*)
        # The only expansion is of a pattern such as /etc/docker.d/*.env.
        IFS=$NL
        for path in ${value% (ignore_errors=*}; do environment=$environment$path$NL; done
        unset IFS
        ;;
      TriggeredBy=*) triggers=$value ;;
      Requires=* | Requisite=* | BindsTo=*) needs="$needs $value" ;;
    esac
  done <<UNIT
$unit
UNIT
}

# Reasons why systemd would not start the daemon with the current unit files: systemd checks conditions only at start.
condition_facts() {
  set -f
  IFS=$NL
  if grep -qsE '^[[:space:]]*(Condition|Assert)[A-Za-z]+[[:space:]]*=' $fragment $dropins </dev/null; then
    unmet=$(systemd-analyze condition --unit="$SERVICE" 2>&1) || say unmet "$unmet"
  fi
  unset IFS
  set +f
}

# The daemon's unit, the units that it requires, and its sockets.
unit_facts() {
  sockets=${units#*"$NL$NL"}
  say unit "$unit"
  say docker-socket "${sockets%%"$NL$NL"*}"
  say tls-socket "${sockets#*"$NL$NL"}"
  # Other units that the daemon requires.
  others=
  for name in $needs; do
    case $name in "$LOCAL_SOCKET" | "$TLS_SOCKET" | sysinit.target | *.slice | -*) ;; *) others="$others $name" ;; esac
  done
  [ -z "$others" ] || others=$(systemctl show $others -p Id -p LoadState 2>/dev/null)
  case " $needs " in *" $LOCAL_SOCKET "*) own=${sockets%%"$NL$NL"*} ;; *) own= ;; esac
  [ -z "$own$others" ] || say needs "$own$NL$NL$others"
  # Other sockets that activate the daemon.
  others=
  for name in $triggers; do
    case $name in "$TLS_SOCKET" | "$LOCAL_SOCKET") ;; *.socket) others="$others $name" ;; esac
  done
  case " $triggers " in *" $LOCAL_SOCKET "*) own=${sockets%%"$NL$NL"*} ;; *) own= ;; esac
  [ -z "$others" ] || others=$(systemctl show $others -p Id -p ActiveState -p Listen 2>/dev/null)
  [ -z "$own$others" ] || say sockets "$own$NL$NL$others"
  for part in $PARTS; do
    if command -v "facts_$part" >/dev/null; then "facts_$part"; fi
  done
}
