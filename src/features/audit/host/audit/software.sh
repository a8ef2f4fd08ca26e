# Installed Docker components: packages, vulnerability IDs in their changelogs, and containerd's configuration.
# Needs functions: certificates end
# Needs variables: data_root
# Needs programs: apt-cache awk cat dpkg-query grep head rpm sed sort stat systemctl tail tr zcat

software_facts() {
  set -- docker.io docker-ce docker-ce-cli docker-cli moby-engine moby-cli docker docker-buildx docker-buildx-plugin \
    docker-compose docker-compose-v2 docker-compose-plugin docker-compose-switch containerd containerd.io moby-containerd runc moby-runc
  manager=
  if command -v dpkg-query >/dev/null; then
    manager=deb
    installed=$(dpkg-query -W -f '${db:Status-Status} ${Package} ${Version}\n' "$@" | sed -n 's/^installed //p')
    printf '%s' "$installed"
    end packages-deb
    # shellcheck disable=SC2086 # names of packages
    apt-cache policy ${installed:+$(printf '%s\n' "$installed" | sed 's/ .*//')} | candidates
    end packages-candidates
    # The files of the index have their server's dates, which are not later than their fetch. The directories also change when it fails.
    set -- /var/lib/apt/lists/*_Packages*
    [ ! -e "$1" ] || stat -c %Y /var/lib/apt/lists/*_InRelease /var/lib/apt/lists/*_Release /var/lib/apt/periodic/update-success-stamp | sort -n | tail -n 1
    end packages-index
  elif command -v rpm >/dev/null; then
    manager=rpm
    installed=$(rpm -q --qf 'installed %{NAME} %{VERSION}-%{RELEASE}\n' "$@" | sed -n 's/^installed //p')
    printf '%s' "$installed"
    end packages-rpm
  else
    installed=
  fi
  for package in $(printf '%s\n' "$installed" | sed 's/ .*//'); do
    # A truncated changelog from a damaged file would make the missing IDs look open.
    changelog=$(package_changelog "$package") || continue
    [ -n "$changelog" ] || continue
    # An ID may be broken after its second hyphen. Only IDs leave the host, and the year of the oldest entry if older ones were removed.
    printf '%s' "$changelog" | tr '\n' ' ' | sed 's/\(CVE-[0-9]*-\) */\1/g' | grep -oE '(CVE-[0-9]+-[0-9]+|GHSA(-[0-9a-z]{4}){3})' | sort -u
    case $manager$changelog in
      # Packages of Fedora and its derivatives keep only the last few years, without saying so.
      rpm*) printf '%s\n' "$changelog" | sed -n 's/^\* [A-Za-z]* [A-Za-z]* *[0-9]* \([12][0-9][0-9][0-9]\) .*/since \1/p' | tail -n 1 ;;
      *"ntries have been removed"* | *"lder changelog entries"*)
        printf '%s\n' "$changelog" | sed -n 's/^ -- .* \([12][0-9][0-9][0-9]\) [0-9:]* .*/since \1/p' | tail -n 1
        ;;
    esac
    end "changelog $package"
  done
  systemctl show --no-pager -p ActiveState firewalld.service
  end firewalld
  grep -lxE 'kubelet|k3s(-server)?|k0s|microk8s' /proc/[0-9]*/comm | head -n 1
  end kubelet
  [ ! -f /etc/containerd/config.toml ] || {
    head -c 65536 /etc/containerd/config.toml | grep -v '^[[:space:]]*#' | tr '\n' ' ' | grep -oE 'disabled_plugins *= *\[[^]]*\]'
    end containerd-disabled
  }
  certificates "${data_root:-/var/lib/docker}/swarm/certificates/swarm-node.crt"
  end swarm-node
  certificates "${data_root:-/var/lib/docker}/swarm/certificates/swarm-root-ca.crt"
  end swarm-ca
}

# Each package with its candidate; `gone`: no source has it, only dpkg; `newer`: a source has a newer one, which a pin or its priority keeps
# back. apt lists the versions newest first, each with its sources below it.
candidates() {
  awk '
    function show() { if (candidate != "") print name, candidate (newer ? " newer" : sources == 0 ? " gone" : "") }
    /^[^ ]/ { show(); name = $0; sub(/:$/, "", name); candidate = version = ""; newer = sources = passed = 0 }
    / Candidate: / { candidate = $2 }
    /^ (\*\*\*|   ) [^ ]/ { version = $(NF - 1); passed = passed || version == candidate }
    /^        / && $2 !~ /^\/var\/lib\/dpkg\/status$/ { if (version == candidate) sources++; else if (!passed) newer = 1 }
    END { show() }'
}

# Fails for an incomplete changelog. A host may also have the other package manager: Debian's rpm prints missing packages on stdout.
package_changelog() {
  if [ "$manager" = rpm ]; then
    rpm -q --changelog "$1" | sed '/^(none)$/d'
    return
  fi
  for file in "/usr/share/doc/$1/changelog.Debian" "/usr/share/doc/$1/changelog"; do
    if [ -f "$file.gz" ]; then zcat "$file.gz"; elif [ -f "$file" ]; then cat "$file"; else continue; fi
    return
  done
}
