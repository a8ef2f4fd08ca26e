# Facts about the host: system, configuration files, records of docker-tls, network.
# Needs functions: end followed say unread_units
# Needs variables: DAEMON_JSON MORE_PATHS NL TAB TLS_DIRECTORY began dropins environment fragment paths pid sees_others uid unread
# Needs programs: date find grep hostname ip sh systemctl timeout tr uname

# Further configuration files that the plan requests.
more_paths_facts() {
  while IFS= read -r path; do
    [ -z "$path" ] || followed "$path"
  done <<PATHS
$MORE_PATHS
PATHS
}

# Facts about the operating system.
system_facts() {
  say uid "$uid"
  say clock "$(date +%s.%N)"
  name=
  read -r name </proc/sys/kernel/hostname
  say hostname "$name"
  say fqdn "$(timeout 2 hostname -f 2>/dev/null)"
  say system "$(uname -sm)"
  # With builtins only.
  os=
  if [ -r /etc/os-release ]; then while IFS= read -r line || [ -n "$line" ]; do os=$os$line$NL; done </etc/os-release; fi
  say os "${os%"$NL"}"
  if [ -d /run/systemd/system ]; then
    say systemd "$(systemctl --version)"
  else
    say systemd ""
  fi
  # An editor for configuration files.
  for editor in vi nano vim editor ''; do ! command -v "$editor" >/dev/null || break; done
  say editor "$editor"
  ip -o addr show scope global 2>/dev/null
  end addresses
}

# Other kinds of Docker: a NAS vendor's, a snap, and rootless daemons.
other_docker_facts() {
  if [ -e /etc/synoinfo.conf ]; then
    say vendor 'Synology DSM'
  elif [ -e /etc/config/uLinux.conf ]; then
    say vendor 'QNAP QTS'
  elif [ -e /etc/unraid-version ]; then
    say vendor Unraid
  fi
  for path in /etc/systemd/system/snap.docker*.service; do
    if [ -e "$path" ]; then
      say snap "$path"
      break
    fi
  done
  # A rootless user cannot inspect other users' daemons.
  [ "$sees_others" = yes ] || return 0
  # Rootless daemons: the unit that their setup writes, and the socket of a running one. The timeout covers a home directory that hangs.
  timeout 5 sh -c 'set --
    while IFS=: read -r name word uid gid gecos home shell; do
      if [ -e "$home/.config/systemd/user/docker.service" ]; then set -- "$@" "$home/.config/systemd/user/docker.service"; fi
    done </etc/passwd
    for path in /run/user/*/docker.sock; do
      if [ -e "$path" ]; then set -- "$@" "$path"; fi
    done
    [ $# = 0 ] || stat -c "%U %n" -- "$@"' 2>/dev/null
  end rootless
}

# Sets `accepted` to the CAs whose clients the daemon accepts: by flag, by "tlscacert", or dockerd's default.
find_accepted() {
  accepted=/root/.docker/ca.pem
  words=$cmdline$NL
  [ -z "$readable" ] || words=$words$(grep -hs -A 1 tlscacert $readable)
  follows=no
  IFS=" \"'$TAB$NL"
  for word in $words; do
    case $follows:$word in
      *:) ;;
      yes:*) accepted=$accepted$NL$word follows=no ;;
      *--tlscacert=*) accepted=$accepted$NL${word#*--tlscacert=} ;;
      *--tlscacert | no:tlscacert) follows=yes ;;
    esac
  done
  IFS=$NL
}

# Files that contain the daemon's settings.
settings_facts() {
  cmdline=
  if [ "${pid:-0}" -gt 0 ] 2>/dev/null; then
    cmdline=$(tr '\0' '\n' <"/proc/$pid/cmdline" 2>/dev/null)
    say cmdline "$cmdline"
  fi
  say drop-ins "$dropins"
  say environment-files "$environment"
  unread_units "$fragment" "$dropins"
  say unread "${unread%"$NL"}"
  set -f
  IFS=$NL
  for path in $fragment $dropins $environment; do followed "$path"; done
  followed "$DAEMON_JSON"
  # Regular files only: reading a pipe would block.
  readable=
  for path in $fragment $dropins $environment $paths; do [ ! -f "$path" ] || readable=$readable$path$NL; done
  find_accepted
  for path in $accepted; do
    case $path in "$TLS_DIRECTORY"/current/*) ;; *) followed "$path" ;; esac
  done

  # Settings edited after the daemon started: it may not start with them. busybox's find cannot tell.
  there=
  for path in "$DAEMON_JSON" $fragment $dropins $environment; do [ ! -e "$path" ] || there=$there$path$NL; done
  if [ -n "$began" ] && [ "${pid:-0}" -gt 0 ] && [ -n "$there" ]; then
    if edited=$(find -L $there -maxdepth 0 -newermt "$began 1 second" 2>/dev/null); then say edited "$edited"; fi
  fi
  unset IFS
  set +f
}
