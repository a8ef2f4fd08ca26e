# Who can become root without Docker: sudo, root's keys and password, groups; and logins of registries that others may read.
# Needs functions: end stat_files
# Needs programs: awk cut grep head sort ss wc

accounts_facts() {
  cut -d : -f 1,3,4 /etc/group
  end groups
  # sudo skips names with a dot or a tilde at the end (sudoers(5)); its parser reads the lines.
  for file in /etc/sudoers /etc/sudoers.d/*; do
    case ${file#/etc/sudoers.d/} in *.* | *~) continue ;; esac
    if [ ! -f "$file" ]; then
      continue
    elif [ "$(wc -c <"$file")" -gt 65536 ]; then
      printf '%s:@include of more than 64 KiB\n' "$file"
    else
      # `#1001` is a user.
      grep -Hs -E '^[[:space:]]*([^#[:space:]]|#([0-9]|include))' "$file" /dev/null
    fi
  done
  end sudoers
  # Public halves only: keys are on lines of their own, and nothing else of the file leaves the host.
  for file in /root/.ssh/authorized_keys /root/.ssh/authorized_keys2; do
    [ ! -f "$file" ] || head -c 262144 "$file" | grep -v '^[[:space:]]*#' |
      grep -oE '(ssh|ecdsa|sk-ssh|sk-ecdsa)-[A-Za-z0-9@.-]+[[:space:]]+[A-Za-z0-9+/=]{40,}([[:space:]].*)?$'
  done
  end root-keys
  # Never the hash itself. Only an x in /etc/passwd refers to /etc/shadow.
  awk -F : '$1 == "root" && !(FILENAME == "/etc/passwd" && $2 == "x") {
    if ($2 == "") print "empty"; else if ($2 ~ /^[!*]/) print "locked"; else print "set"
    exit
  }' /etc/passwd /etc/shadow
  end root-password
  # With the directories above: who cannot pass them cannot read the file.
  {
    cut -d : -f 6 /etc/passwd
    printf '%s\n' /root /home/*
  } | sort -u | while IFS= read -r home; do
    file=${home%/}/.docker/config.json
    [ -f "$file" ] && grep -qE '"auth" *: *"[^"]' "$file" || continue
    while [ -n "$file" ]; do
      stat_files "$file"
      file=${file%/*}
    done
  done
  end registry-logins
  ss -H -l -n -t -u -p | awk '{ print $1, $5, $7 }' | head -n 200
  end listening
}
