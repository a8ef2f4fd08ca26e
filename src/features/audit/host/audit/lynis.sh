# Runs Lynis, where it is installed, and prints what it reports. Its records go to a directory of its own, which goes again: nothing is left.
# Prints `absent`, `failed` or `whole`, then the report (at most 256 KB). Read by src/features/audit/domain/lynis.ts.
# Where the connection goes away, Lynis ends as well: a dot a second on stderr finds out that no one reads any longer.
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
  # A process group of its own, since what Lynis waits for has to end with it.
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
