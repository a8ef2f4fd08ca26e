# sshd with changed files: its check before they count, and its reload with systemd. Other kinds of hosts have a reload of their own.
# Needs functions: effective_sshd main_pid step warn
# Needs variables: BACK ERR OPERATOR SSHD_DROP_IN T pid
# Needs programs: grep head sed sleep sort sshd systemctl

check_sshd() {
  step check-sshd
  sshd -t 2>"$ERR" || {
    why=$(head -c 1900 "$ERR")
    printf 'sshd does not accept its configuration: %s' "$why" >"$ERR"
    return 1
  }
  compare_sshd || :
}

# Compares the effective sshd settings for root and the operator with the drop-in: a line in another file may override it.
compare_sshd() {
  [ -f "$SSHD_DROP_IN" ] || return 0
  for user in $(printf '%s\n' root "$OPERATOR" | sort -u); do
    effective_sshd -C "user=$user,host=localhost,addr=127.0.0.1" 2>/dev/null >"$T/sshd-$user" || continue
    sed -n 's/^\([A-Z][A-Za-z0-9]*\) \([^ ]*\)$/\1 \2/p' "$SSHD_DROP_IN" | while read -r key value; do
      # prohibit-password has an older name; OpenSSH 10.4 and later print TCPKeepAlive as true or false.
      now=$(sed -n "s/^$key //Ip" "$T/sshd-$user" | sed 's/^without-password$/prohibit-password/; s/^true$/yes/; s/^false$/no/')
      [ -z "$now" ] || printf '%s' "$now" | grep -qixF -- "$value" ||
        warn "sshd: for $user $key is $now and not $value: another line (sshd -T -C user=$user), or an option of sshd's own command line, wins over $SSHD_DROP_IN"
    done
  done
}

# sshd does not need the daemon.
apart_sshd() { :; }

# Outside the transaction in one respect: open sessions keep their settings.
apply_sshd() {
  failed=0
  for name in ssh sshd; do
    systemctl -q is-active "$name.service" || continue
    printf '%s\n' "$name" >"$T/sshd"
    # An sshd that got its port from a socket unit cannot reopen it on reload (it ends with "Cannot bind any address"). systemd holds the
    # port, so a restart refuses no login, and sessions survive (KillMode=process).
    if systemctl -q is-active "$name.socket"; then
      systemctl restart "$name.service" || {
        failed=1
        STEP=restart-sshd
      }
    else
      { main_pid "$name.service" && kill -s HUP "$pid"; } || {
        failed=1
        STEP=reload-sshd
      }
    fi
    # sshd closes its port for a moment during a reload; the verification comes over a new connection.
    sleep 0.5
    systemctl -q is-active "$name.service" || {
      failed=1
      STEP=reload-sshd
    }
    break
  done
  # The rollback starts an sshd that did not survive the change.
  { [ "$BACK" = yes ] && read -r name 2>/dev/null <"$T/sshd" && ! systemctl -q is-active "$name.service"; } || return "$failed"
  systemctl reset-failed "$name.service"
  systemctl start "$name.service"
}
