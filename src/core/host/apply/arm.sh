# Arms the rollback: from here on the host rolls back automatically, also when this script is killed or the host reboots
# Needs functions: fail list_recovery look_ahead make_directories set_recovery_goal start_timer step words write_recovery
# Needs variables: RECOVERY RECOVERY_LINK SETTINGS STAGING STATE T goal
# Needs programs: cat cp id ln mkdir mv rm stat sync

step arm
make_directories "${RECOVERY_LINK%/*}" 0755 || fail "$(words)"
set_recovery_goal
write_recovery 2>"$ERR" && ln -sfT "$goal" "$RECOVERY_LINK" 2>>"$ERR" && list_recovery 2>>"$ERR" || fail "$(words)"
# A directory that another account may write would hand it our rollback, which root runs. The plan has looked as well.
# With -p and not -a, which would keep the label that SELinux has for /run.
# `settings` comes last: it is what makes the rollback able to act. Its content has to be on the disk before its name is: after a loss of
# power a file system may show a name whose content is not there yet.
mkdir -p -- "$T" 2>"$ERR" || fail "$(words)"
case $(stat -L -c '%u %a' -- "$STATE") in
  "$(id -u) "*[2367]? | "$(id -u) "*[2367]) fail "other accounts can write $STATE" ;;
  "$(id -u) "*) ;;
  *) fail "$STATE belongs to another account" ;;
esac
cp -p -- "$STAGING/rollback.sh" "$STAGING/manifest" "$STAGING/managed" "$STAGING/state.json" "$STAGING/id" "$STAGING/pid" "$STAGING/created" "$T/" 2>>"$ERR" &&
  { printf '%s' "$SETTINGS" >"$T/settings.part" || printf '%s' "$SETTINGS" | cat >"$T/settings.part"; } 2>>"$ERR" &&
  sync "$T"/* "$RECOVERY" "${RECOVERY%/*}" "${RECOVERY_LINK%/*}" "$T" 2>/dev/null &&
  mv -- "$T/settings.part" "$T/settings" 2>>"$ERR" || fail "$(words)"
CREATED=$T/created
# systemd takes a while for it: what follows only adds files of our own, and nothing is switched before it is there (switch.sh).
start_timer 2>"$T/timer-error" &
timer=$!
# So does its look at the daemon.
look_ahead 2>/dev/null &
look=$!
ERR=$T/error
rm -rf -- "$STAGING"
