# Settings of the host outside of Docker: its kernel's, its modules, its logins.
# Needs functions: end
# Needs variables: SYSCTLS
# Needs programs: cat cut grep head iptables sed systemd-detect-virt timeout

hardening_facts() {
  systemd-detect-virt --container
  end container
  # A list of paths below /proc/sys (src/features/audit/domain/host-settings.ts); /dev/null makes grep print names also where there is but one.
  # shellcheck disable=SC2086
  (cd /proc/sys && grep -s '' /dev/null $SYSCTLS)
  end sysctl
  command -v iptables
  end iptables
  # What drops packets for 127.0.0.0/8: asked where something lets them in, or our rule should be there. Some kernels load a module to answer.
  if [ -e /etc/systemd/system/docker.service.d/docker-tls-loopback.conf ] || grep -qsx 1 /proc/sys/net/ipv4/conf/*/route_localnet; then
    timeout 5 iptables -w 2 -t raw -S PREROUTING
  fi
  end loopback-rules
  # Files that may be read after ours at boot: those whose names begin with z or what sorts after it. Settings of each below its name.
  for file in /etc/sysctl.d/[!\ -y]*.conf /run/sysctl.d/[!\ -y]*.conf /usr/local/lib/sysctl.d/[!\ -y]*.conf /usr/lib/sysctl.d/[!\ -y]*.conf; do
    [ -e "$file" ] || continue
    printf '# %s\n' "$file"
    [ ! -f "$file" ] || grep -m 500 -E '^[^#;]*=' "$file" | cut -c 1-500
  done
  end sysctl-later
  cut -d ' ' -f 1 /proc/modules
  end modules
  grep -hsE '^[[:space:]]*install[[:space:]]' /etc/modprobe.d/*.conf /run/modprobe.d/*.conf /usr/lib/modprobe.d/*.conf /lib/modprobe.d/*.conf
  end modprobe
  grep -E '^[[:space:]]*[A-Z_]+[[:space:]]' /etc/login.defs
  end login-defs
  grep -hsE '^[^#]*[[:space:]]core[[:space:]]' /etc/security/limits.conf /etc/security/limits.d/*.conf
  end core-limits
  cat /etc/systemd/coredump.conf /etc/systemd/coredump.conf.d/*.conf | grep '^Storage'
  end coredump
  grep -hsE 'umask|TMOUT' /etc/profile /etc/profile.d/*.sh /etc/bash.bashrc
  end profile
  # What /etc/profile says before its loop over profile.d, and what that reads, each line behind its file.
  sed -n '/^[[:space:]]*for .*profile\.d/{g;p;q;};/umask/H' /etc/profile
  end profile-first
  grep -Hs umask /etc/profile.d/*.sh
  end profile-d
  head -c 4096 /etc/issue.net
  end issue-net
}
