# Lynis run and report, if installed. Its logs go to a temporary directory, so nothing is left. Prints `absent`, `failed` or `whole`, then
# the report (at most 256 KB). Read by src/features/audit/domain/lynis.ts. Lynis ends with the connection: a dot per second on stderr
# detects a closed one.
# Needs programs: head mktemp rm setsid sleep
forget_records() { rm -rf -- "$records"; }

end_lynis() {
  kill -TERM "-$group"
  exit 1
}

lynis_report() {
  if ! command -v lynis >/dev/null 2>&1; then
    echo absent
    return 0
  fi
  records=$(mktemp -d) || return 1
  trap forget_records EXIT
  # A separate process group, because Lynis' child processes must end with it.
  setsid lynis audit system --cronjob --quiet --report-file "$records/report" --logfile "$records/log" >/dev/null 2>&1 </dev/null &
  group=$!
  trap end_lynis HUP INT TERM
  trap '' PIPE
  while kill -0 "$group" 2>/dev/null; do
    sleep 1
    echo . >&2 || end_lynis
  done
  if [ -s "$records/report" ]; then
    echo whole
    head -c 262144 "$records/report"
  else
    echo failed
  fi
}
lynis_report
