# Audit rules end to end: watched files are opened for writing, which changes nothing, and the records are read back.
# Needs functions: end
# Needs variables: TOUCH
# Needs programs: awk date grep sed sleep systemctl tail

# Prints `+ FILE` for each file whose record is in the log, `- FILE` for the others, and `path FILE` for files that were not opened: a unit
# watches them or their directory, and opening for writing would start a service (systemd.path(5)).
read_back() {
  [ "${TOUCH-}" = yes ] && [ -e /proc/self/loginuid ] || return 0
  log=$(sed -n 's/^[[:space:]]*log_file[[:space:]]*=[[:space:]]*//p' /etc/audit/auditd.conf)
  : "${log:=/var/log/audit/audit.log}"
  # The shell itself opens the files, so the records have its process ID. A refusal is recorded too.
  read -r shell _ </proc/self/stat
  began=$(date +%s)
  units="
$(systemctl show '*.path' --property=Paths 2>/dev/null | grep -E '\(Path(Changed|Modified)\)$' | sed 's/^Paths=//; s/ ([A-Za-z]*)$//')
"
  set --
  for file in /etc/docker/daemon.json /etc/default/docker /usr/lib/systemd/system/docker.service; do
    [ -f "$file" ] || continue
    case $units in *"
$file
"* | *"
${file%/*}
"*)
      printf 'path %s\n' "$file"
      continue
      ;;
    esac
    true >>"$file"
    set -- "$@" "$file"
  done
  # auditd may write a moment later: wait for a record, and a second more for the others.
  records=
  for _ in 1 2 3 4 5 6 7 8 9 10; do
    sleep 1
    before=$records
    # A rule need not have a key. An earlier process had the same ID: its records are older by more than a tick of the kernel.
    records=$(tail -c 4194304 "$log" | awk -v shell=" pid=$shell " -v files="$*" -v began="$began" '
      { id = $2 }
      $1 == "type=SYSCALL" && index($0, shell) && substr(id, 11) + 1 >= began { opened[id] = 1 }
      $1 == "type=PATH" && id in opened && match($0, / name="[^"]*"/) { found[substr($0, RSTART + 7, RLENGTH - 8)] = 1 }
      END {
        count = split(files, names, " ")
        for (i = 1; i <= count; i++) print(names[i] in found ? "+" : "-", names[i])
      }')
    [ "$records" != "$before" ] || ! printf '%s\n' "$records" | grep -qv '^- ' || break
  done
  printf '%s\n' "$records"
  end audit-read-back
}
