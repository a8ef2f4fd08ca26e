# Arms the rollback by systemd: a timer for a change that is not confirmed, and a unit for the next boot.
# Needs variables: CONFIRM LOCAL_SOCKET RECOVERY RECOVERY_LINK SERVICE STATE T TLS_SOCKET TXN
# Needs programs: cat systemd-run

write_recovery() (
  umask 022
  cat >"$RECOVERY" <<UNIT
[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
RequiresMountsFor=$STATE /etc
After=local-fs.target
Before=systemd-sysctl.service $SERVICE $LOCAL_SOCKET $TLS_SOCKET sockets.target auditd.service audit-rules.service shutdown.target
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi; rm -rf $T; rmdir $STATE; rm -f $RECOVERY $RECOVERY_LINK'

[Install]
WantedBy=sysinit.target
UNIT
)

recovery_goal() { printf '../docker-tls-recover.service'; }

start_timer() {
  systemd-run --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
    /bin/sh "$T/rollback.sh" undo timer
}
