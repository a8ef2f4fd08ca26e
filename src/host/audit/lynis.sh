# Runs Lynis, where it is installed, and prints what it reports. Its records go to a directory of its own, which goes again: nothing is left.
# Prints `absent`, `failed` or `whole`, then the report (at most 256 KB). Read by src/domain/audit/lynis.ts.
# Needs programs: head lynis mktemp rm
forget_records() { rm -rf -- "$records"; }

lynis_report() {
  if ! command -v lynis >/dev/null 2>&1; then
    echo absent
    return 0
  fi
  records=$(mktemp -d) || return 1
  trap forget_records EXIT
  lynis audit system --cronjob --quiet --report-file "$records/report" --logfile "$records/log" >/dev/null 2>&1 </dev/null
  if [ -s "$records/report" ]; then
    echo whole
    head -c 262144 "$records/report"
  else
    echo failed
  fi
}
lynis_report
