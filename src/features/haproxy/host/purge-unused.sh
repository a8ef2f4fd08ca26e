# Removal of HAProxy's packages after docker-tls itself, unless something uses them.
# Needs functions: forget_packages is_configured is_ours package_manager purge_packages result
# Needs variables: LIST failed needed
# Needs programs: grep head stat systemctl

# Sets `use`, what uses HAProxy besides docker-tls.
find_use() {
  use=
  # An installation that ended early may have left the service enabled.
  if ! grep -qx @service "$LIST"; then
    case $(systemctl is-enabled haproxy.service 2>/dev/null) in enabled*) use='haproxy.service is enabled' ;; esac
    if systemctl -q is-active haproxy.service 2>/dev/null; then use='haproxy.service runs'; fi
    # Not one in a container: that has a file of its own.
    one=$(stat -L -c '%d:%i %n' /proc/[0-9]*/exe 2>/dev/null | grep "^$(stat -L -c '%d:%i /proc/' -- "$(command -v haproxy)" 2>/dev/null || echo none)" | head -n 1)
    one=${one#* /proc/}
    if [ -n "$one" ]; then use="process ${one%/exe} runs it"; fi
  fi
  package_manager
  if is_configured; then use='its configuration was changed'; fi
}

purge_unused() {
  trap '' HUP PIPE
  export LC_ALL=C DEBIAN_FRONTEND=noninteractive NEEDRESTART_SUSPEND=1
  if ! is_ours; then
    result kept
    return
  fi
  find_use
  if [ -n "$use" ]; then
    forget_packages
    result used "$use"
    return
  fi
  purge_packages
  result purged "$needed" "$failed"
}
purge_unused
