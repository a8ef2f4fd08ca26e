# Settings of the host outside Docker: kernel, modules, logins.
# Needs functions: end
# Needs variables: SYSCTLS
# Needs programs: cat cut grep head iptables sed systemd-detect-virt timeout

hardening_facts() {
  systemd-detect-virt --container
  end container
  # A list of paths below /proc/sys (src/features/audit/domain/host-settings.ts); /dev/null makes grep print the name even for one file.
  # shellcheck disable=SC2086
  (cd /proc/sys && grep -s '' /dev/null $SYSCTLS)
  end sysctl
  command -v iptables
  end iptables
  # Rules that drop packets for 127.0.0.0/8, if a setting accepts them or our rule should exist. Some kernels load a module for the query.
  if [ -e /etc/systemd/system/docker.service.d/docker-tls-loopback.conf ] || grep -qsx 1 /proc/sys/net/ipv4/conf/*/route_localnet; then
    timeout 5 iptables -w 2 -t raw -S PREROUTING
  fi
  end loopback-rules
  # Files that may be read after ours at boot: names that begin with z or a later character. Prints the settings below each name.
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
  # Prints umasks of /etc/profile before its loop over profile.d, and of the files that the loop reads, with their file names.
  sed -n '/^[[:space:]]*for .*profile\.d/{g;p;q;};/umask/H' /etc/profile
  end profile-first
  grep -Hs umask /etc/profile.d/*.sh
  end profile-d
  head -c 4096 /etc/issue.net
  end issue-net
}
