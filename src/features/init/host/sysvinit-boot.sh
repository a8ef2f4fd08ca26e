# sysvinit script for the next boot. It runs in rcS, before everything that a change may touch.
# Needs variables: RECOVERY RECOVERY_LINK RECOVERY_LIST STATE T
# Needs programs: cat chmod

write_recovery() {
  cat >"$RECOVERY" <<SCRIPT && chmod 0755 -- "$RECOVERY"
#!/bin/sh
### BEGIN INIT INFO
# Provides:          docker-tls-recover
# Required-Start:    \$local_fs
# Required-Stop:
# X-Start-Before:    procps docker ssh auditd
# Default-Start:     S
# Default-Stop:
# Short-Description: docker-tls: undo or finish a change that a reboot interrupted
### END INIT INFO
[ "\${1:-}" = start ] || exit 0
# startpar starts it at once, with what mounts the file systems: wait for them.
tries=0
until [ -w /etc ] && [ -d $T ] && [ -w $T ]; do
  tries=\$((tries + 1))
  [ "\$tries" -lt 300 ] || exit 1
  sleep 0.1
done
if [ -f $T/settings ]; then exec /bin/sh $T/rollback.sh undo boot; fi
rm -rf $T
rmdir $STATE
sed -i -e '/^docker-tls-recover:/d' -e 's/ docker-tls-recover / /g' -e 's/ docker-tls-recover\$//' $RECOVERY_LIST
rm -f $RECOVERY_LINK $RECOVERY
SCRIPT
}
