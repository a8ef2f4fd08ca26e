# Audit rules end to end: watched files are opened for writing, which changes nothing, and the records are read back.
# Needs functions: end
# Needs variables: TOUCH
# Needs programs: awk grep sed sleep tail

# Prints `KEY FILE` for each file whose record is in the log, `- FILE` for the others.
read_back() {
  [ "${TOUCH-}" = yes ] && [ -e /proc/self/loginuid ] || return 0
  log=$(sed -n 's/^[[:space:]]*log_file[[:space:]]*=[[:space:]]*//p' /etc/audit/auditd.conf)
  : "${log:=/var/log/audit/audit.log}"
  for file in /etc/docker/daemon.json /etc/default/docker /usr/lib/systemd/system/docker.service; do
    [ -f "$file" ] || continue
    # The shell itself opens the file, so the record has its process ID. A refusal is recorded too.
    true >>"$file"
    sleep 1
    printf '%s %s\n' "$(tail -c 1048576 "$log" | grep -a -F 'audit(' | awk -v pid="$$" -v name="name=\"$file\"" '
      { id = $2 }
      $1 == "type=SYSCALL" && index($0, " pid=" pid " ") && match($0, / key="[^"]*"/) { keys[id] = substr($0, RSTART + 6, RLENGTH - 7) }
      $1 == "type=PATH" && index($0, " " name " ") && id in keys { found = keys[id] }
      END { print found == "" ? "-" : found }')" "$file"
  done
  end audit-read-back
}
