# Gathers what the plan needs to know of a host, in one exec, changing nothing. Read by src/domain/plan/facts.ts.
# Every fact is a section (src/domain/dockerd/sections.ts): CONTENT, newline, "--NONCE NAME", newline. The nonce is drawn here and now, so no
# content can be taken for another fact, whatever it holds.
# Needs programs: od tr
NL='
'
nonce=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
[ "${#nonce}" = 32 ] || exit 70

end() { printf '\n--%s %s\n' "$nonce" "$1"; }
say() {
  printf '%s' "$2"
  end "$1"
}
