# Arming of the rollback: from this point the host rolls back automatically, even if this script is killed or the host reboots.
# Needs functions: fail list_recovery make_directories set_recovery_goal start_timer step words write_recovery
# Needs variables: RECOVERY RECOVERY_LINK SETTINGS STAGING STATE T goal
# Needs programs: cat cp ln mkdir mv stat sync

step arm
make_directories "${RECOVERY_LINK%/*}" 0755 || fail "$(words)"
set_recovery_goal
write_recovery 2>"$ERR" && ln -sfT "$goal" "$RECOVERY_LINK" 2>>"$ERR" && list_recovery 2>>"$ERR" || fail "$(words)"
# In a directory that another account can write, that account could replace the rollback script that root runs. The plan checks this too.
# Copy with -p, because -a would keep the SELinux label of /run. `settings` comes last, because the rollback works only with it. Its
# content is synced before its name appears: after a power loss, a file system may show a name without its content.
mkdir -p -- "$T" 2>"$ERR" || fail "$(words)"
[ -O "$STATE" ] || fail "$STATE belongs to another account"
case $(stat -L -c %a -- "$STATE") in '' | *[2367]? | *[2367]) fail "other accounts can write $STATE" ;; esac
cp -p -- "$STAGING/rollback.sh" "$STAGING/manifest" "$STAGING/managed" "$STAGING/state.json" "$STAGING/id" "$STAGING/pid" "$STAGING/created" "$T/" 2>>"$ERR" &&
  { printf '%s' "$SETTINGS" >"$T/settings.part" || printf '%s' "$SETTINGS" | cat >"$T/settings.part"; } 2>>"$ERR" &&
  sync "$T"/* "$RECOVERY" "${RECOVERY%/*}" "${RECOVERY_LINK%/*}" "$T" 2>/dev/null &&
  mv -- "$T/settings.part" "$T/settings" 2>>"$ERR" || fail "$(words)"
CREATED=$T/created
# In the background, because systemd takes a while. Until then docker-tls only adds its own files; switch.sh waits for the timer before it
# replaces anything.
start_timer 2>"$T/timer-error" &
timer=$!
ERR=$T/error
