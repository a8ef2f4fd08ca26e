# Audit rules end to end: watched files are opened for writing, which changes nothing, and the records are read back.
# Needs functions: end
# Needs variables: TOUCH
# Needs programs: awk grep sed sleep tail

# Prints `KEY FILE` for each file whose record is in the log, `- FILE` for the others.
read_back() {
  [ "${TOUCH-}" = yes ] && [ -e /proc/self/loginuid ] || return 0
  log=$(sed -n 's/^[[:space:]]*log_file[[:space:]]*=[[:space:]]*//p' /etc/audit/auditd.conf)
  : "${log:=/var/log/audit/audit.log}"
  # The shell itself opens the files, so the records have its process ID. A refusal is recorded too.
  read -r shell _ </proc/self/stat
  set --
  for file in /etc/docker/daemon.json /etc/default/docker /usr/lib/systemd/system/docker.service; do
    [ -f "$file" ] || continue
    true >>"$file"
    set -- "$@" "$file"
  done
  # auditd may write a moment later: wait for a record, and a second more for the others.
  records=
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    before=$records
    records=$(tail -c 4194304 "$log" | awk -v shell=" pid=$shell " -v files="$*" '
      { id = $2 }
      $1 == "type=SYSCALL" && index($0, shell) && match($0, / key="[^"]*"/) { keys[id] = substr($0, RSTART + 6, RLENGTH - 7) }
      $1 == "type=PATH" && id in keys && match($0, / name="[^"]*"/) { found[substr($0, RSTART + 7, RLENGTH - 8)] = keys[id] }
      END {
        count = split(files, names, " ")
        for (i = 1; i <= count; i++) print(names[i] in found ? found[names[i]] : "-", names[i])
      }')
    [ "$records" != "$before" ] || ! printf '%s\n' "$records" | grep -qv '^- ' || break
  done
  printf '%s\n' "$records"
  end audit-read-back
}
