# The running dockerd, its arguments and its daemon.json.
# Needs functions: end listener_facts read_arguments stat_files tls_file use_option
# Needs programs: awk cat grep head id ls readlink sed systemctl tr

# Finds the host's dockerd, outside containers; root's before a rootless one.
find_dockerd() {
  dockerd=
  for file in /run/docker.pid /var/run/docker.pid; do
    # dockerd writes no final newline, so read reports end of file.
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

# Path of this dockerd's daemon.json; for a rootless one in its user's directory (docs.docker.com, "Rootless mode").
own_config() {
  [ -O "/proc/$dockerd" ] && [ "$(id -u)" = 0 ] && return 0
  own=$(tr '\000' '\n' <"/proc/$dockerd/environ")
  directory=$(printf '%s\n' "$own" | sed -n 's/^XDG_CONFIG_HOME=//p' | head -n 1)
  [ -n "$directory" ] || directory=$(printf '%s\n' "$own" | sed -n 's|^HOME=\(.*\)|\1/.config|p' | head -n 1)
  [ -z "$directory" ] || config=$directory/docker/daemon.json
}

json_path() { printf '%s' "$flat" | sed -n 's/.*"'"$1"'" *: *"\([^"\\]*\)".*/\1/p'; }

# Podman without a dockerd: its socket, and its TLS service.
podman_service() {
  [ -S "$socket" ] || socket=/run/podman/podman.sock
  pid=$(systemctl show -p MainPID --value docker-tls-podman.service)
  [ "${pid:-0}" -gt 0 ] || return 0
  words=$(tr '\000' '\n' <"/proc/$pid/cmdline")
  printf '%s' "$words"
  end podman-service
  tls_ca=$(printf '%s\n' "$words" | sed -n 's/^--tls-client-ca=//p')
  tls_cert=$(printf '%s\n' "$words" | sed -n 's/^--tls-cert=//p')
  tls_key=$(printf '%s\n' "$words" | sed -n 's/^--tls-key=//p')
}

dockerd_facts() {
  config=/etc/docker/daemon.json tls_ca='' tls_cert='' tls_key='' uses_tls='' socket=/var/run/docker.sock own_socket='' data_root=''
  find_dockerd
  if [ -n "$dockerd" ]; then
    cat "/proc/$dockerd/cmdline"
    end dockerd-cmdline
    readlink "/proc/$dockerd/exe"
    end dockerd-exe
    awk '/^Max open files/ { print $5 }' "/proc/$dockerd/limits"
    end dockerd-open-files
    # Without its own service, containerd is a child of dockerd.
    unit=containerd.service
    systemctl -q is-active "$unit" 2>/dev/null || unit=docker.service
    systemctl show --value -p LimitNOFILESoft "$unit" 2>/dev/null
    end containers-open-files
    # shellcheck disable=SC2010,SC2012 # only the link targets of sockets are taken
    ls -l "/proc/$dockerd/fd" | grep -o 'socket:\[[0-9]*\]$'
    end dockerd-sockets
    own_config
    read_arguments
  else
    podman_service
  fi
  printf '%s' "$config"
  end config-path
  if [ -f "$config" ]; then
    head -c 262144 "$config"
    end config
    stat_files "$config"
    end config-stat
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
  listener_facts
  tls_file ca "$tls_ca"
  tls_file cert "$tls_cert"
  tls_file key "$tls_key"
}
