# Effective sshd settings and Match blocks.
# Needs functions: effective_sshd end sshd_options
# Needs programs: awk head sed sshd

sshd_facts() {
  command -v sshd >/dev/null || return 0
  effective_sshd
  status=$?
  end "sshd $status"
  [ "$status" = 0 ] || {
    effective_sshd 2>&1 >/dev/null | head -c 4096
    end sshd-refusal
  }
  sshd -V 2>&1 | head -c 1000
  end sshd-version
  # Match blocks with their settings: sshd -T alone omits them. A block ends with its file.
  sshd_files
  # shellcheck disable=SC2086 # plain names
  awk 'FNR == 1 { inside = 0 } tolower($1) ~ /^match(=|$)/ { inside = 1 } inside' $sshd_files | head -c 65536
  end sshd-match
}

# Lists sshd's main file and its includes, four levels deep.
sshd_files() {
  sshd_files=$(sshd_options | sed -n 's/^-f//p')
  : "${sshd_files:=/etc/ssh/sshd_config}"
  level=$sshd_files
  for _ in 1 2 3 4; do
    next=
    set -f
    # shellcheck disable=SC2046,SC2086 # a list of patterns, of plain names
    set -- $(sed -n 's/\r$//; s/"//g; s/^[[:space:]]*include[[:space:]=]\{1,\}//Ip' $level)
    set +f
    for pattern in "$@"; do
      case $pattern in /*) ;; *) pattern=/etc/ssh/$pattern ;; esac
      for file in $pattern; do
        case " $sshd_files $next " in *" $file "*) continue ;; esac
        [ ! -f "$file" ] || next="$next $file"
      done
    done
    [ -n "$next" ] || return 0
    sshd_files="$sshd_files$next"
    level=$next
  done
}
