# What clients do to HAProxy and its service, and what the host denies it, for a diagnosis. Changes nothing.
# Needs functions: end say
# Needs variables: PORT SERVICE WHOSE
# Needs programs: awk date grep head journalctl sort ss systemctl tail uniq

# Addresses with their number of connections, the largest number first.
count() { sort | uniq -c | sort -rn | head -n 1; }
say connections "$(ss -Htn state established "sport = :$PORT" 2>/dev/null | grep -c .)"
say most "$(ss -Htn state established "sport = :$PORT" 2>/dev/null | awk '{ sub(/:[0-9]+$/, "", $4); print $4 }' | count)"
failed=$(journalctl $WHOSE -u "$SERVICE" --since '-300 seconds' -n 20000 -o cat --no-pager 2>/dev/null | grep '^{"docker-tls":"handshake"')
say handshakes "$(printf '%s\n' "$failed" | grep -c .)"
say flooder "$(printf '%s\n' "$failed" | awk -F '"' '{ print $8 }' | count)"
# Denials of SELinux and AppArmor since the service runs, from the kernel's log or that of auditd. A permissive domain is denied nothing.
began=$(TZ=UTC systemctl $WHOSE show "$SERVICE" -p ActiveEnterTimestamp 2>/dev/null)
began=$(date -d "${began#*=}" +%s 2>/dev/null) || began=0
say denied "$({
  journalctl -b --since "@$began" -n 5000 -o cat --no-pager _TRANSPORT=kernel + _TRANSPORT=audit 2>/dev/null
  tail -n 2000 /var/log/audit/audit.log 2>/dev/null | awk -F '[(.]' -v began="$began" '/^type=[A-Z_]+ msg=audit\([0-9]+\./ && $2 >= began + 0'
} | grep -E 'avc: +denied|apparmor="DENIED"' | grep -v 'permissive=1' | grep -E '(comm|profile)="[^"]*haproxy' | tail -n 1)"
end 'done'
