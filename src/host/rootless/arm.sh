# Arms the rollback by the user's own systemd: a timer for a change that is not confirmed, and a unit for the next start of that systemd, which is
# at the next boot where the user lingers.
# Needs variables: CONFIRM RECOVERY RECOVERY_LINK STATE T TXN
# Needs programs: cat systemd-run

write_recovery() (
  umask 022
  cat >"$RECOVERY" <<UNIT
[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
Before=docker.service docker-tls.socket sockets.target basic.target shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi; rm -rf $T; rmdir $STATE; rm -f $RECOVERY $RECOVERY_LINK'

[Install]
WantedBy=basic.target
UNIT
)

recovery_goal() { printf '../docker-tls-recover.service'; }

start_timer() {
  systemd-run --user --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
    /bin/sh "$T/rollback.sh" undo timer
}
