# Facts for the plan, gathered in one exec without any change. Read by src/core/domain/plan/facts.ts. Each fact is a section
# (src/core/domain/dockerd/sections.ts): CONTENT, newline, "--NONCE NAME", newline. The nonce is drawn for each run, so no content can
# imitate another fact.
NL='
' TAB='	'
# From the kernel, without a process.
IFS=- read -r first second third fourth fifth </proc/sys/kernel/random/uuid
nonce=$first$second$third$fourth$fifth
[ "${#nonce}" = 32 ] || exit 70

end() { printf '\n--%s %s\n' "$nonce" "$1"; }
say() {
  printf '%s' "$2"
  end "$1"
}
