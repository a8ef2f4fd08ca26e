# Gathers what the plan needs to know of a host, in one exec, changing nothing. Read by src/core/domain/plan/facts.ts.
# Every fact is a section (src/core/domain/dockerd/sections.ts): CONTENT, newline, "--NONCE NAME", newline. The nonce is drawn here and now, so no
# content can be taken for another fact, whatever it holds.
NL='
' TAB='	'
# The kernel draws it, which takes no program.
IFS=- read -r first second third fourth fifth </proc/sys/kernel/random/uuid
nonce=$first$second$third$fourth$fifth
[ "${#nonce}" = 32 ] || exit 70

end() { printf '\n--%s %s\n' "$nonce" "$1"; }
say() {
  printf '%s' "$2"
  end "$1"
}
