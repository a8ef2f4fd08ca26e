# Audit facts, printed in one run as root, without changes. Read by src/features/audit/domain/audit-facts.ts. Every section
# (src/core/domain/dockerd/sections.ts) is CONTENT, newline, "--NONCE NAME", newline. The nonce is drawn for each run and is in no
# argument list, so no existing content can imitate the end of a section. The script never reads private keys, only their names, owners
# and modes; of PEM files it prints only complete CERTIFICATE blocks. POSIX sh; runs from a file, from -c or from standard input (hence
# main </dev/null at the end).
# Needs variables: gnu_stat nonce
# Needs programs: awk head stat

end() { printf '\n--%s %s\n' "$nonce" "$1"; }

# Prints mode (hex, with the type), owner and name, each followed by NUL. busybox has no --printf, and gets a newline instead.
stat_files() {
  if [ "$gnu_stat" = yes ]; then
    stat -L --printf '%f %u %g %U %G %s %n\000' "$@"
  else
    stat -L -c '%f %u %g %U %G %s %n' "$@"
  fi
}

# Prints only the certificate blocks of a file: complete ones of pure base64.
certificates() {
  [ -f "$1" ] && head -c 262144 "$1" | awk '
    /^-----BEGIN CERTIFICATE-----[ \r]*$/ { inside = 1; text = ""; print_it = "-----BEGIN CERTIFICATE-----\n"; next }
    /^-----END CERTIFICATE-----[ \r]*$/ { if (inside) printf "%s%s-----END CERTIFICATE-----\n", print_it, text; inside = 0; next }
    inside { sub(/[ \r]+$/, ""); if ($0 ~ /^[A-Za-z0-9+\/=]*$/) text = text $0 "\n"; else inside = 0 }'
}

tls_file() { # ROLE PATH
  [ -n "$2" ] || return 0
  printf '%s' "$2"
  end "tls-path $1"
  stat_files "$2"
  end "tls-stat $1"
  [ "$1" = key ] || {
    certificates "$2"
    end "tls-pem $1"
  }
}
