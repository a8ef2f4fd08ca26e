# Arms the rollback: from here on the host rolls back automatically, also when this script is killed or the host reboots
# Needs functions: fail make_directories step words
# Needs variables: CONFIRM STAGING STATE T TXN UNITS
# Needs programs: cat cp ln mkdir mv rm sync systemd-run

step arm
make_directories "$UNITS/sysinit.target.wants" 0755 || fail "$(words)"
(
  umask 022
  cat >"$UNITS/docker-tls-recover.service" <<UNIT
[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
RequiresMountsFor=$STATE /etc
After=local-fs.target
Before=systemd-sysctl.service docker.service docker.socket docker-tls.socket sockets.target auditd.service audit-rules.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi; rm -rf $T; rmdir $STATE; rm -f $UNITS/docker-tls-recover.service $UNITS/sysinit.target.wants/docker-tls-recover.service'

[Install]
WantedBy=sysinit.target
UNIT
) 2>"$ERR" && ln -sfT ../docker-tls-recover.service "$UNITS/sysinit.target.wants/docker-tls-recover.service" 2>>"$ERR" || fail "$(words)"
# `settings` comes last: it is what makes the rollback able to act. Its content has to be on the disk before its name is: after a loss of
# power a file system may show a name whose content is not there yet.
mkdir -p -- "$T" 2>"$ERR" &&
  cp -a -- "$STAGING/rollback.sh" "$STAGING/manifest" "$STAGING/managed" "$STAGING/state.json" "$STAGING/id" "$STAGING/pid" "$STAGING/created" "$T/" 2>>"$ERR" &&
  sync "$T"/* "$UNITS/docker-tls-recover.service" "$UNITS" "$UNITS/sysinit.target.wants" "$T" 2>/dev/null &&
  cp -a -- "$STAGING/settings" "$T/settings.part" 2>>"$ERR" && { sync "$T/settings.part" 2>/dev/null || :; } &&
  mv -- "$T/settings.part" "$T/settings" 2>>"$ERR" || fail "$(words)"
CREATED=$T/created
systemd-run --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
  /bin/sh "$T/rollback.sh" undo timer 2>"$ERR" || fail "$(words)"
ERR=$T/error
rm -rf -- "$STAGING"
