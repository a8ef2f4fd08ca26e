# Check for required programs: PROGRAMS names them, separated by blanks. If one is missing, prints `docker-tls-missing NAMES` and the
# distribution, and ends. Read by src/core/domain/dockerd/programs.ts.
# Needs variables: PROGRAMS

missing=
{
  for name in $PROGRAMS; do
    # Without systemd as init, that is the error to report.
    case $name in
      systemctl | systemd-run) [ -d /run/systemd/system ] || continue ;;
      setsid) [ ! -d /run/systemd/system ] || continue ;;
    esac
    command -v "$name" || missing="$missing $name"
  done
} >/dev/null 2>&1
if [ -n "$missing" ]; then
  printf 'docker-tls-missing%s\n' "$missing"
  while IFS= read -r line; do printf '%s\n' "$line"; done </etc/os-release
  exit 71
fi
