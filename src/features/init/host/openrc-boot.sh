# OpenRC service for the next boot. It runs in the runlevel boot, before everything that a change may touch.
# Needs variables: RECOVERY RECOVERY_LINK STATE T
# Needs programs: cat chmod

write_recovery() {
  cat >"$RECOVERY" <<SCRIPT && chmod 0755 -- "$RECOVERY"
#!/sbin/openrc-run
description="docker-tls: undo or finish a change that a reboot interrupted"

depend() {
	after localmount fsck root mountall.sh
	before docker sshd ssh auditd sysctl procps
}

start() {
	if [ -f $T/settings ]; then
		/bin/sh $T/rollback.sh undo boot
	elif [ -d $T ]; then
		rm -rf $T
		rmdir $STATE
		rm -f $RECOVERY_LINK $RECOVERY
	fi
	return 0
}
SCRIPT
}
