# Prints all facts that the audit needs, in one run, as root, and changes nothing. Read by src/domain/audit/facts.ts.
# Every section (src/domain/dockerd/sections.ts) is CONTENT, newline, "--NONCE NAME", newline: the nonce is drawn here and now and stands in
# nobody's argument list, so nothing that was written before can look like the end of a section, whatever it holds.
# Private keys are never read, only their names, owners and modes; of PEM files only whole CERTIFICATE blocks are printed.
# Put in before this text: src/host/api.sh, src/host/sshd.sh.
# POSIX sh; runs from a file, from -c or from standard input (hence main </dev/null at the end).

end() { printf '\n--%s %s\n' "$nonce" "$1"; }

# Mode (hex, with the type), owner and name, NUL after each. busybox has no --printf: there a newline stands for NUL.
stat_files() {
  if [ "$gnu_stat" = yes ]; then
    stat -L --printf '%f %u %g %U %G %s %n\000' "$@"
  else
    stat -L -c '%f %u %g %U %G %s %n' "$@"
  fi
}

# The certificate blocks of a file and nothing else of it: a block counts only when it is whole and all base64.
certificates() {
  [ -f "$1" ] && head -c 262144 "$1" | awk '
    /^-----BEGIN CERTIFICATE-----[ \r]*$/ { inside = 1; text = ""; print_it = "-----BEGIN CERTIFICATE-----\n"; next }
    /^-----END CERTIFICATE-----[ \r]*$/ { if (inside) printf "%s%s-----END CERTIFICATE-----\n", print_it, text; inside = 0; next }
    inside { sub(/[ \r]+$/, ""); if ($0 ~ /^[A-Za-z0-9+\/=]*$/) text = text $0 "\n"; else inside = 0 }'
}

tls_file() { # ROLE PATH
  [ -n "$2" ] || return 0
  printf '%s' "$2"; end "tls-path $1"
  stat_files "$2"; end "tls-stat $1"
  [ "$1" = key ] || { certificates "$2"; end "tls-pem $1"; }
}

host_facts() {
  uname -sr; end kernel
  cat /etc/os-release; end os-release
  date +%s; end clock
  printf '%s' "$OPERATOR"; end operator
  cat /proc/cmdline; end kernel-cmdline
  [ ! -e /proc/self/loginuid ] || echo yes; end audit-kernel
  cat /sys/module/apparmor/parameters/enabled; end apparmor
  cat /sys/fs/selinux/enforce; end selinux
  cut -d ' ' -f 3,5 /proc/self/mountinfo; end mounts
  getent group docker || grep '^docker:' /etc/group; end docker-group
  cut -d : -f 1,3,4 /etc/passwd; end users
  ls -d /run/user/*/docker.sock; end rootless
  grep -h DOCKER_CONTENT_TRUST /etc/environment /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc \
    /root/.profile /root/.bashrc /root/.bash_profile; end content-trust
  systemctl show --no-pager -p Id -p LoadState -p ActiveState -p FragmentPath -p DropInPaths -p ExecStart -p Listen \
    -p Triggers -p SocketMode -p SocketUser -p SocketGroup docker.service docker.socket containerd.service \
    systemd-journal-upload.service '*.socket'; end units
  awk '$4 == "0A" { print FILENAME, $2, $10 }' /proc/net/tcp /proc/net/tcp6; end tcp-listen
  # A parent's processes carry the container's id in their control group.
  for pid in $(grep -lxE 'sshd|sshd-session|dropbear' /proc/[0-9]*/comm); do cat "${pid%/comm}/cgroup"; done; end sshd-cgroups
}

audit_facts() {
  cat /etc/audit/audit.rules; end audit-rules
  cat /etc/audit/rules.d/*.rules; end audit-rules-d
  command -v auditctl >/dev/null || return 0
  augenrules --check; end augenrules
  auditctl -s 2>&1; end "auditctl-status $?"
  auditctl -l 2>&1; end "auditctl-list $?"
  systemd-tmpfiles --cat-config | grep '^[dDvqQ]'; end tmpfiles
  command -v perl >/dev/null || return 0
  watched_directories; end "audit-directories $?"
}

# Directories whose contents the kernel watches, one a line. auditctl -l does not tell them from files, nor from directories that were not
# there when their rule was loaded. So the kernel is asked (linux/audit.h: AUDIT_LIST_RULES is 1013, AUDIT_DIR 107; the fields before it that
# have a text of their own stand there first).
watched_directories() {
  perl -e '
    alarm 5;
    socket(S, 16, 3, 9) && send(S, pack("LSSLL", 16, 1013, 5, 1, 0), 0) or exit 1;
    while (defined recv(S, $reply, 65536, 0)) {
      my ($size, $type) = unpack("LS", $reply);
      exit($type != 3) if $type != 1013;
      my ($count, @rest) = unpack("x24 L x256 L64 L64 x256 L/a", $reply);
      my ($text, $at) = (pop @rest, 0);
      for my $i (0 .. $count - 1) {
        my ($field, $length) = @rest[$i, 64 + $i];
        print substr($text, $at, $length), "\n" if $field == 107;
        $at += $length if grep { $_ == $field } 13 .. 17, 19 .. 23, 105, 107, 112, 210;
      }
    }
    exit 1'
}

sshd_facts() {
  command -v sshd >/dev/null || return 0
  effective_sshd
  status=$?
  end "sshd $status"
  [ "$status" = 0 ] || { effective_sshd 2>&1 >/dev/null | head -c 4096; end sshd-refusal; }
  sshd -V 2>&1 | head -c 1000; end sshd-version
  # Match blocks, with what they say: sshd -T alone leaves them out, and one ends with its file.
  sshd_files
  # shellcheck disable=SC2086 # plain names
  awk 'FNR == 1 { inside = 0 } tolower($1) ~ /^match(=|$)/ { inside = 1 } inside' $sshd_files | head -c 65536; end sshd-match
}

# The file that sshd reads, and those that it includes, four deep.
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

# The host's own dockerd, not one that runs in a container; root's before a rootless one.
find_dockerd() {
  dockerd=
  for file in /run/docker.pid /var/run/docker.pid; do
    # dockerd writes it without a line end, which read calls the end of the file.
    read -r dockerd <"$file"
    [ -n "$dockerd" ] && [ "$(cat "/proc/$dockerd/comm")" = dockerd ] && return 0
  done
  dockerd=
  for file in $(grep -lx dockerd /proc/[0-9]*/comm); do
    file=${file%/comm}
    grep -qE 'docker[-/][0-9a-f]{64}' "$file/cgroup" && continue
    [ -n "$dockerd" ] || dockerd=${file#/proc/}
    [ -O "$file" ] || continue
    dockerd=${file#/proc/}
    return 0
  done
}

# Where the dockerd that was found looks for its daemon.json: a rootless one in its user's directory (docs.docker.com, "Rootless mode").
own_config() {
  [ -O "/proc/$dockerd" ] && return 0
  own=$(tr '\000' '\n' <"/proc/$dockerd/environ")
  directory=$(printf '%s\n' "$own" | sed -n 's/^XDG_CONFIG_HOME=//p' | head -n 1)
  [ -n "$directory" ] || directory=$(printf '%s\n' "$own" | sed -n 's|^HOME=\(.*\)|\1/.config|p' | head -n 1)
  [ -z "$directory" ] || config=$directory/docker/daemon.json
}

use_option() { # NAME VALUE
  case $1 in
    --config-file) config=$2 ;;
    --tlscacert) tls_ca=$2 ;;
    --tlscert) tls_cert=$2 ;;
    --tlskey) tls_key=$2 ;;
    --data-root | --graph | -g) data_root=$2 ;;
    # The first that it serves; fd:// is systemd's. A socket that is merely there may be nobody's.
    -H | --host) case $2 in unix://?*) : "${own_socket:=${2#unix://}}" ;; fd://*) : "${own_socket:=$socket}" ;; esac ;;
  esac
}

read_arguments() {
  wanted=
  set -f
  IFS='
'
  # shellcheck disable=SC2046 # one word per line is meant
  set -- $(tr '\000' '\n' <"/proc/$dockerd/cmdline")
  unset IFS
  set +f
  for word in "$@"; do
    if [ -n "$wanted" ]; then
      use_option "$wanted" "$word"
      wanted=
      continue
    fi
    case $word in
      --config-file=* | --tlscacert=* | --tlscert=* | --tlskey=* | --host=* | -H=* | --data-root=* | --graph=* | -g=*)
        use_option "${word%%=*}" "${word#*=}"
        ;;
      -H?*) use_option -H "${word#-H}" ;;
      -H | --host | --config-file | --tlscacert | --tlscert | --tlskey | --data-root | --graph | -g) wanted=$word ;;
    esac
    case $word in --tls | --tls=* | --tlsverify | --tlsverify=*) uses_tls=yes ;; esac
  done
}

json_path() { printf '%s' "$flat" | sed -n 's/.*"'"$1"'" *: *"\([^"\\]*\)".*/\1/p'; }

dockerd_facts() {
  config=/etc/docker/daemon.json tls_ca='' tls_cert='' tls_key='' uses_tls='' socket=/var/run/docker.sock own_socket='' data_root=''
  find_dockerd
  if [ -n "$dockerd" ]; then
    cat "/proc/$dockerd/cmdline"; end dockerd-cmdline
    readlink "/proc/$dockerd/exe"; end dockerd-exe
    awk '/^Max open files/ { print $5 }' "/proc/$dockerd/limits"; end dockerd-open-files
    # shellcheck disable=SC2010,SC2012 # only the link targets of sockets are taken
    ls -l "/proc/$dockerd/fd" | grep -o 'socket:\[[0-9]*\]$'; end dockerd-sockets
    own_config
    read_arguments
  fi
  printf '%s' "$config"; end config-path
  if [ -f "$config" ]; then
    head -c 262144 "$config"; end config
    stat_files "$config"; end config-stat
    flat=$(head -c 262144 "$config" | tr '\n\t\r\000' '    ')
    case $flat in *'"tls'*) uses_tls=yes ;; esac
    [ -n "$tls_ca" ] || tls_ca=$(json_path tlscacert)
    [ -n "$tls_cert" ] || tls_cert=$(json_path tlscert)
    [ -n "$tls_key" ] || tls_key=$(json_path tlskey)
    [ -n "$data_root" ] || data_root=$(json_path data-root)
    for word in $(printf '%s' "$flat" | grep -oE '"(fd|unix)://[^" \\]*"'); do
      word=${word#?}
      use_option --host "${word%?}"
    done
  fi
  [ ! -S "$own_socket" ] || socket=$own_socket
  [ -S "$socket" ] || for file in /run/user/*/docker.sock; do [ ! -S "$file" ] || socket=$file; done
  if [ -n "$uses_tls" ]; then # dockerd's own defaults
    : "${tls_ca:=/root/.docker/ca.pem}" "${tls_cert:=/root/.docker/cert.pem}" "${tls_key:=/root/.docker/key.pem}"
  fi
  tls_file ca "$tls_ca"
  tls_file cert "$tls_cert"
  tls_file key "$tls_key"
}

file_facts() {
  units=
  for directory in /etc /run /usr/local/lib /usr/lib /lib; do
    units="$units $directory/systemd/system/docker.service $directory/systemd/system/docker.socket"
  done
  drop_ins=
  for directory in /etc /run /usr/local/lib /usr/lib /lib; do
    [ ! -L "$directory" ] || continue
    for file in "$directory"/systemd/system/docker.service.d "$directory"/systemd/system/docker.socket.d; do
      drop_ins="$drop_ins $file $file/*.conf"
    done
  done
  tls_directories=
  for file in "$tls_ca" "$tls_cert" "$tls_key"; do
    case $file in /*/*) tls_directories="$tls_directories ${file%/*}" ;; esac
  done
  programs=
  for directory in /usr/bin /usr/sbin /usr/local/bin; do
    for file in dockerd containerd containerd-shim containerd-shim-runc-v1 containerd-shim-runc-v2 runc; do
      programs="$programs $directory/$file"
    done
  done
  # shellcheck disable=SC2086 # lists of plain names
  stat_files $units $drop_ins $programs $tls_directories /etc/docker /etc/docker/certs.d /etc/docker/daemon.json /etc/default/docker \
    /etc/sysconfig/docker /run/docker.sock /var/run/docker.sock "$socket" /run/containerd /run/containerd/containerd.sock \
    /var/lib/docker ${data_root:+"$data_root"} /etc/containerd/config.toml; end files
  [ ! -d /etc/docker/certs.d ] || {
    if [ "$gnu_stat" = yes ]; then
      find -L /etc/docker/certs.d -maxdepth 3 -type f -exec stat -L --printf '%f %u %g %U %G %s %n\000' {} +
    else
      find -L /etc/docker/certs.d -maxdepth 3 -type f -exec stat -L -c '%f %u %g %U %G %s %n' {} +
    fi
    end registry-files
  }
  set -- /etc/docker
  for file in "$tls_ca" "$tls_cert" "$tls_key"; do
    case $file in '' | /etc/docker/*) ;; /*/*) [ ! -e "$file" ] || set -- "$@" "${file%/*}" ;; esac
  done
  if [ "$gnu_stat" = yes ]; then
    find "$@" -xdev -maxdepth 6 -type f -size -128 -exec grep -lZ -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' {} + |
      xargs -0 -r stat -L --printf '%f %u %g %U %G %s %n\000'
  else
    find "$@" -xdev -maxdepth 6 -type f -size -128 -exec grep -q -e '-----BEGIN [A-Z ]*PRIVATE KEY-----' {} \; \
      -exec stat -L -c '%f %u %g %U %G %s %n' {} \;
  fi
  end key-files
}

ask() { api "$socket" "$nonce" "$@"; }

# The first of a list of ids, each once.
first() { awk -v most="$1" '!seen[$0]++ && ++count <= most'; }

api_cli() { # no way to the socket but the docker command: no image histories
  docker info --format '{{json .}}'; end 'api 200 /info'
  docker version --format '{{json .Server}}'; end 'api 200 /version'
  # shellcheck disable=SC2046 # ids
  docker container inspect $({ docker ps -q --no-trunc; docker ps -aq --no-trunc; } | first 300); end 'api 200 /containers/*'
  # shellcheck disable=SC2046
  docker image inspect $(docker images -q --no-trunc | sort -u | head -n 200); end 'api 200 /images/*'
  # shellcheck disable=SC2046
  docker network inspect $(docker network ls -q); end 'api 200 /networks'
}

api_facts() {
  [ -S "$socket" ] || return 0
  printf '%s' "$socket"; end api-socket
  readlink -f -- "$socket"; end api-socket-target
  # A quote inside a JSON string stands behind a backslash: a label cannot look like an "Id" key.
  info=$(ask /info) || { command -v docker >/dev/null && api_cli; return 0; }
  printf '%s\n' "$info"
  # A daemon that hangs would let each of the other questions wait.
  case $info in *" api 200 "*) ;; *) return 0 ;; esac
  # Those that run come first, however many are kept beside them.
  lists=$(ask /containers/json '/containers/json?all=1' /images/json /version)
  printf '%s\n' "$lists"
  set -- /networks
  case $info in *'"LocalNodeState":"active"'*) set -- "$@" /swarm /secrets ;; esac
  # shellcheck disable=SC2046 # ids
  details=$(ask "$@" $(printf '%s' "$lists" | grep -o '"Id":"[0-9a-f]\{64\}"' | first 300 | cut -c 7-70 | sed 's|.*|/containers/&/json|'))
  printf '%s\n' "$details"
  # What the first process of each container really runs with.
  set --
  for pid in $(printf '%s' "$details" | grep -o '"Pid":[1-9][0-9]*' | cut -c 7-); do set -- "$@" "/proc/$pid/status"; done
  [ "$#" = 0 ] || { grep -H -E '^(NoNewPrivs|Seccomp):' "$@" /dev/null; end process-status; }
  # shellcheck disable=SC2046
  ask $(
    printf '%s' "$lists" | grep -o '"Id":"sha256:[0-9a-f]\{64\}"' | sort -u | head -n 200 | cut -c 7-77 |
      sed 's|.*|/images/&/json\
/images/&/history|'
    printf '%s' "$details" | grep -o '"ExecIDs":\["[0-9a-f",]*\]' | grep -o '[0-9a-f]\{64\}' | head -n 100 | sed 's|.*|/exec/&/json|'
  )
}

main() {
  nonce=$(od -An -N 16 -t x1 /dev/urandom | tr -d ' \n')
  [ "${#nonce}" = 32 ] || return 70
  gnu_stat=no
  stat --printf '' / && gnu_stat=yes
  printf 'docker-tls-audit 1 %s\n' "$nonce"
  host_facts
  audit_facts
  sshd_facts
  dockerd_facts
  file_facts
  api_facts
  end 'done'
}

main </dev/null 2>/dev/null
