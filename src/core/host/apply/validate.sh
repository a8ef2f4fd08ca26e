# Validation of the new dockerd configuration.
# Needs functions: fail of_parts step words
# Needs variables: T VALIDATE
# Needs programs: sh

# Begins to validate what is staged so far: the credentials and daemon.json.
begin_validation() {
  of_parts prepare || fail "$(words)"
  [ -n "$VALIDATE" ] || return 0
  step validate
  # In the background: the next steps are faster and change nothing, and switch.sh waits for the answer. dockerd does not inherit the
  # mutex.
  sh -c "$VALIDATE" >"$T/validation" 2>&1 </dev/null 9<&- &
  validation=$!
  STEP=stage
}
