# Docker's files with modes and owners, and locations of private keys.
# Needs functions: end stat_files
# Needs variables: data_root flat gnu_stat socket tls_ca tls_cert tls_key
# Needs programs: find getent grep sed sort stat systemctl tr xargs

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
  # Files that systemd reads and runs at their start, runtimes of daemon.json, plugins of dockerd and of root's docker command, and what
  # containerd's configuration imports; one per line. The shell expands patterns like systemd does.
  IFS='
'
  # shellcheck disable=SC2046
  set -- $(
    systemctl show -p EnvironmentFiles -p ExecStartPre -p ExecStart -p ExecStartPost docker.service containerd.service 2>/dev/null |
      sed -n -e 's/^EnvironmentFiles=\(\/.*\) (ignore_errors=.*/\1/p' -e 's/^Exec[A-Za-z]*={ path=\(\/.*\) ; argv\[\]=.*/\1/p' | sort -u
    printf '%s\n' "${flat:-}" | grep -oE '"path" *: *"/[^"\\]*"' | sed 's/^[^:]*: *"\(.*\)"$/\1/'
    # A list over any number of lines.
    grep -sv '^[[:space:]]*#' /etc/containerd/config.toml | tr '\n' ' ' | grep -oE '(^|[[:space:]])imports[[:space:]]*=[[:space:]]*\[[^]]*' |
      grep -oE '"/[^"\\]*"|'"'/[^']*'" | sed 's/^.\(.*\).$/\1/'
  )
  plugins='/etc/docker/plugins
/usr/lib/docker/plugins
/root/.docker/cli-plugins
/usr/libexec/docker/cli-plugins
/usr/lib/docker/cli-plugins
/usr/local/lib/docker/cli-plugins
/usr/local/libexec/docker/cli-plugins'
  for directory in $plugins; do
    for file in "$directory"/*; do
      [ ! -f "$file" ] || set -- "$@" "$file"
    done
  done
  unset IFS
  printf '%s\n' "$@"
  end unit-inputs
  for file in "$@"; do set -- "$@" "${file%/*}"; done
  # shellcheck disable=SC2086 # lists of plain names
  stat_files "$@" $plugins $units $drop_ins $programs $tls_directories /usr/bin /usr/sbin /usr/local/bin /usr/local/sbin /etc/containerd /etc/docker /etc/docker/certs.d /etc/docker/daemon.json /etc/default/docker \
    /etc/sysconfig/docker /run/docker.sock /var/run/docker.sock "$socket" /run/containerd /run/containerd/containerd.sock \
    /var/lib/docker ${data_root:+"$data_root"} /etc/containerd/config.toml
  end files
  # Docker can assign its socket to a group other than docker; every member of that group has root access too.
  getent group "$(stat -L -c %G -- "$socket")"
  end socket-group
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
