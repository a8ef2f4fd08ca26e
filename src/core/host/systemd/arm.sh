# Rollback timer with systemd: a timer for an unconfirmed change, and a unit for the next boot.
# Needs variables: CONFIRM LOCAL_SOCKET MANAGED MANIFEST RECOVERY RECOVERY_LINK SERVICE STATE T TLS_SOCKET TXN WHOSE
# Needs programs: cat grep systemd-run tr

# Boot order: before the daemon, and before every reader of our files.
recovery_order() {
  order="RequiresMountsFor=$STATE /etc
After=local-fs.target
Before=systemd-sysctl.service $SERVICE $LOCAL_SOCKET $TLS_SOCKET $(boot_sockets)sockets.target auditd.service audit-rules.service shutdown.target"
}

# Sockets that a boot starts, of now and of the change: it must not start one that is rolled back.
boot_sockets() { printf '%s' "$MANIFEST$MANAGED" | grep -o '[^/]*[^@][.]socket$' | tr '\n' ' '; }

# Only a program reports why the write failed.
write_recovery() {
  umask 022
  recovery_unit 2>/dev/null >"$RECOVERY" || recovery_unit | cat >"$RECOVERY"
  written=$?
  umask 077
  return "$written"
}

recovery_unit() {
  recovery_order
  target=${RECOVERY_LINK%.wants/*}
  printf '%s\n' "[Unit]
Description=docker-tls: undo or finish a change that a reboot interrupted
DefaultDependencies=no
$order
Conflicts=shutdown.target

[Service]
Type=oneshot
ExecStart=/bin/sh -c 'if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi; rm -rf $T; rmdir $STATE; rm -f $RECOVERY $RECOVERY_LINK'

[Install]
WantedBy=${target##*/}"
}

set_recovery_goal() { goal=../docker-tls-recover.service; }

# Runs in the background.
start_timer() {
  exec systemd-run $WHOSE --quiet --collect --unit="docker-tls-undo-$TXN" --on-active="${CONFIRM}s" --timer-property=AccuracySec=100ms \
    /bin/sh "$T/rollback.sh" undo timer
}
