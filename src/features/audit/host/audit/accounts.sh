# Who can become root without Docker: sudo, root's keys and password, groups; and logins of registries that others may read.
# Needs functions: effective_sshd end stat_files
# Needs programs: awk cut grep head sed sort ss tr uname wc

# Whether a path may be there, and this user cannot read it: of a rootless daemon the audit runs as its user.
hidden() { # PATH
  if [ -e "$1" ]; then
    [ ! -r "$1" ]
    return
  fi
  above=${1%/*}
  while [ -n "$above" ] && [ ! -e "$above" ]; do above=${above%/*}; done
  [ -n "$above" ] && [ ! -x "$above" ]
}

# Prints the rules of a file and of what it includes, each with its file; the parser does not know an include that is printed here.
sudoers_file() { # FILE DEPTH
  case $seen in *"
$1
"*) return 0 ;; esac
  seen="$seen$1
"
  if hidden "$1"; then
    printf '%s:@include cannot be read\n' "$1"
    return 0
  fi
  [ -f "$1" ] || return 0
  if [ "$(wc -c <"$1")" -gt 65536 ]; then
    printf '%s:@include of more than 64 KiB\n' "$1"
    return 0
  fi
  # `#1001` is a user.
  grep -Hs -E '^[[:space:]]*([^#[:space:]]|#[0-9])' "$1" /dev/null | grep -v -E '^[^:]*:[[:space:]]*@include'
  IFS='
'
  set -f
  for line in $(sed -n 's/^[[:space:]]*[#@]\(include\(dir\)\{0,1\}[[:space:]]\)/\1/p' "$1"); do
    sudoers_include "$1" "$2" "${line%%[[:space:]]*}" "$(printf '%s' "$line" | sed 's/^[a-z]*[[:space:]]*//; s/[[:space:]]*$//; s/^"\(.*\)"$/\1/')"
  done
}

# A path is below the file's directory, may have the host's name in it, and spaces behind a backslash (sudoers(5)).
sudoers_include() { # FILE DEPTH WORD PATH
  case $4 in
    *\\* | *[*?[]*) set -- "$1" 99 "$3" "$4" ;;
    /*) ;;
    *) set -- "$1" "$2" "$3" "${1%/*}/$4" ;;
  esac
  if [ "$2" -gt 8 ]; then
    printf '%s:@%s %s\n' "$1" "$3" "$4"
    return 0
  fi
  case $4 in *%h*) set -- "$1" "$2" "$3" "${4%%%h*}$(uname -n | cut -d . -f 1)${4#*%h}" ;; esac
  [ "$3" = includedir ] || {
    sudoers_file "$4" "$(($2 + 1))"
    return 0
  }
  if hidden "${4%/}" || hidden "${4%/}/."; then
    printf '%s:@includedir cannot be read\n' "${4%/}"
    return 0
  fi
  set +f
  for file in "${4%/}"/*; do
    # sudo skips names with a dot or a tilde at the end.
    case ${file##*/} in *.* | *~) ;; *) sudoers_file "$file" "$(($2 + 1))" ;; esac
  done
}

# Files with keys of root's, as sshd looks for them; without sshd its defaults.
root_key_files() {
  home=$(awk -F : '$1 == "root" { print $6; exit }' /etc/passwd)
  [ -n "$home" ] || home='/root'
  files=$(effective_sshd -C user=root,host=localhost,addr=127.0.0.1 2>/dev/null | sed -n 's/^authorizedkeysfile //p')
  printf '%s\n' "${files:-.ssh/authorized_keys .ssh/authorized_keys2}" | tr -s ' ' '\n' |
    sed -e '/^none$/d' -e "s|%h|$home|g; s|%u|root|g; s|%U|0|g; s|%%|%|g" -e "s|^[^/]|$home/&|"
}

accounts_facts() {
  cut -d : -f 1,3,4 /etc/group
  end groups
  seen='
'
  sudoers_file /etc/sudoers 0
  unset IFS
  set +f
  end sudoers
  # Public halves only: keys are on lines of their own, and nothing else of the file leaves the host.
  root_key_files | while IFS= read -r file; do
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
