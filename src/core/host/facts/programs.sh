# Ends the facts where a program is missing that nothing here works without: PROGRAMS names them, with blanks in between. What is printed
# then is read by src/core/domain/dockerd/programs.ts: `docker-tls-missing NAMES`, and which distribution this is.
# Needs variables: PROGRAMS

missing=
{
  for name in $PROGRAMS; do
    # Where systemd does not run, that is the thing to say.
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
