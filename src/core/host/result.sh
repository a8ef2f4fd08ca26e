# Result of a script: its last line (src/core/host/protocol.ts).
# Needs programs: base64 tr

# result KIND FIELD…: the fields in base64, an empty one as `-`.
result() {
  line="@result $1"
  shift
  for field in "$@"; do
    coded=$(printf '%s' "$field" | base64 | tr -d '\n')
    line="$line ${coded:--}"
  done
  printf '%s\n' "$line"
}
