# Units that need docker.service: noted before it stops, started again after it.
# Needs functions: active service
# Needs variables: NEEDED_BY NL T docker_unit
# Needs programs: cat rm systemctl

# Units that need docker.service and are active now: those that its stop would take along (as systemd does, theirs as well), and that its
# start would not bring back. Those of the first time count, also for the rollback.
note_dependents() {
  # Empty: the write was killed before anything was stopped.
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

# Sets `needing` to the units that stop with one: needed_by UNIT, as systemd shows it
needed_by() {
  needing=
  IFS=$NL
  for line in $1; do
    case $line in RequiredBy=* | RequisiteOf=* | BoundBy=* | ConsistsOf=* | PropagatesStopTo=*) needing="$needing ${line#*=}" ;; esac
  done
  unset IFS
}

# Starts those that went all the same: bound to the daemon (BindsTo=), or ended with their connection to it. Nothing waits for them. Those
# that are still up are let be: a target that is started anew starts whatever of it an administrator has stopped.
start_dependents() {
  if [ -e "$T/dependents" ]; then dependents=$(cat -- "$T/dependents"); fi
  [ -n "${dependents:-}" ] || return 0
  # A state each, in their order.
  states=$(systemctl is-active -- $dependents 2>/dev/null)$NL
  set --
  for unit in $dependents; do
    case ${states%%"$NL"*} in active | reloading) ;; *) set -- "$@" "$unit" ;; esac
    states=${states#*"$NL"}
  done
  [ $# = 0 ] || service --no-block start -- "$@" 2>/dev/null || :
}
