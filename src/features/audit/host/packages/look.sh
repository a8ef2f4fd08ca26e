# apt's plan for an installation, with sizes. Without changes. Read by src/features/audit/domain/packages.ts.
# Needs variables: NAMES
# Needs programs: apt-cache apt-get awk dpkg-query head sed tr

# One line each: install NAME VERSION BYTES KILOBYTES; upgrade NAME; remove NAME; present NAME; no WHY; end.
look_packages() {
  export LC_ALL=C
  if ! command -v apt-get >/dev/null 2>&1; then
    printf 'no\tapt\n'
    return 0
  fi
  for name in $NAMES; do
    case $(dpkg-query -W -f '${db:Status-Status}' "$name" 2>/dev/null) in installed) printf 'present\t%s\n' "$name" ;; esac
  done
  # shellcheck disable=SC2086 # one word each
  if ! found=$(apt-get -s --no-install-recommends install $NAMES 2>&1 </dev/null); then
    printf 'no\t%s\n' "$(printf '%s\n' "$found" | sed -n 's/^E: //p' | head -n 3 | tr '\n\t' '  ')"
    return 0
  fi
  # `Inst NAME [OLD] (NEW …)`: an old version means an upgrade.
  printf '%s\n' "$found" | sed -n -e 's/^Remv \([^ ]*\).*/remove\t\1/p' -e 's/^Inst \([^ ]*\) \[.*/upgrade\t\1/p'
  printf '%s\n' "$found" | sed -n 's/^Inst \([^ ]*\) (\([^ ]*\) .*/\1 \2/p' | head -n 500 | while read -r name version; do
    apt-cache show --no-all-versions "$name=$version" 2>/dev/null | awk -v name="$name" -v version="$version" '
      /^Size: / { size = $2 }
      /^Installed-Size: / { disk = $2 }
      END { printf "install\t%s\t%s\t%s\t%s\n", name, version, size, disk }'
  done
  printf 'end\n'
}
look_packages
