# Units that require docker.service: recorded before it stops, started again after it.
# Needs functions: active service
# Needs variables: NEEDED_BY NL T docker_unit
# Needs programs: cat rm systemctl

# Records active units that a stop of docker.service takes along (like systemd, transitively) and a start does not bring back. The first
# record counts, for the rollback too.
note_dependents() {
  # Empty: the write was killed before anything stopped.
  [ ! -s "$T/dependents" ] || return 0
  dependents=
  needed_by "$docker_unit"
  # shellcheck disable=SC2086 # names of units have no blanks
  set -- $needing
  while [ $# -gt 0 ]; do
    case $NL$dependents in *"$NL$1$NL"*)
      shift
      continue
      ;;
    esac
    unit=$NL$(systemctl show -p ActiveState $NEEDED_BY -- "$1" 2>/dev/null)$NL
    if active "$unit"; then
      dependents=$dependents$1$NL
      needed_by "$unit"
      # shellcheck disable=SC2086
      set -- "$@" $needing
    fi
    shift
  done
  [ -z "$dependents" ] || printf '%s' "$dependents" >"$T/dependents" || rm -f -- "$T/dependents"
}

# Sets `needing` to the units that stop with a unit: needed_by UNIT, as systemd shows it
needed_by() {
  needing=
  IFS=$NL
  for line in $1; do
    case $line in RequiredBy=* | RequisiteOf=* | BoundBy=* | ConsistsOf=* | PropagatesStopTo=*) needing="$needing ${line#*=}" ;; esac
  done
  unset IFS
}

# Starts units that stopped despite the isolated stop: bound to the daemon (BindsTo=), or ended with their connection to it. Does not
# wait. Skips units that are still active: starting a target would start units of it that an administrator has stopped.
start_dependents() {
  if [ -e "$T/dependents" ]; then dependents=$(cat -- "$T/dependents"); fi
  [ -n "${dependents:-}" ] || return 0
  # One state per unit, in the same order.
  states=$(systemctl is-active -- $dependents 2>/dev/null)$NL
  set --
  for unit in $dependents; do
    case ${states%%"$NL"*} in active | reloading) ;; *) set -- "$@" "$unit" ;; esac
    states=${states#*"$NL"}
  done
  [ $# = 0 ] || service --no-block start -- "$@" 2>/dev/null || :
}
