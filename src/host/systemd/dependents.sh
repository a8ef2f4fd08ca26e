# Units that need docker.service: noted before it stops, started again after it.
# Needs functions: active service
# Needs variables: NEEDED_BY NL T docker_unit
# Needs programs: cat rm sed systemctl

# Units that need docker.service and are active now: those that its stop would take along (as systemd does, theirs as well), and that its
# start would not bring back. Those of the first time count, also for the rollback.
note_dependents() {
  # Empty: the write was killed before anything was stopped.
  [ ! -s "$T/dependents" ] || return 0
  dependents=
  # shellcheck disable=SC2046 # names of units have no blanks
  set -- $(needed_by "$docker_unit")
  while [ $# -gt 0 ]; do
    case $NL$dependents in *"$NL$1$NL"*)
      shift
      continue
      ;;
    esac
    unit=$NL$(systemctl show -p ActiveState $NEEDED_BY -- "$1" 2>/dev/null)$NL
    if active "$unit"; then
      dependents=$dependents$1$NL
      # shellcheck disable=SC2046
      set -- "$@" $(needed_by "$unit")
    fi
    shift
  done
  [ -z "$dependents" ] || printf '%s' "$dependents" >"$T/dependents" || rm -f -- "$T/dependents"
}

needed_by() { printf '%s' "$1" | sed -n -e 's/^RequiredBy=//p' -e 's/^RequisiteOf=//p' -e 's/^BoundBy=//p' -e 's/^ConsistsOf=//p' -e 's/^PropagatesStopTo=//p'; }

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
