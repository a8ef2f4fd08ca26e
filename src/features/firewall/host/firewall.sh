# Facts about a host's firewall, beside its chain INPUT.
# Needs functions: end
# Needs programs: cat firewall-cmd grep head iptables nft systemctl timeout

firewall_facts() {
  if command -v iptables >/dev/null 2>&1; then
    iptables -S OUTPUT 2>/dev/null | head -n 200
    end iptables-output
  fi
  if [ -f /etc/ufw/ufw.conf ] && grep -qi '^ENABLED=yes' /etc/ufw/ufw.conf; then
    {
      grep '^DEFAULT_INPUT_POLICY=' /etc/default/ufw
      cat /etc/ufw/user.rules
    } 2>/dev/null | head -c 65536
    end ufw
  fi
  if command -v nft >/dev/null 2>&1; then
    nft -s list ruleset 2>/dev/null | head -c 262144
    end nft-rules
  fi
  if command -v firewall-cmd >/dev/null 2>&1 && systemctl -q is-active firewalld; then
    {
      timeout 5 firewall-cmd --get-default-zone
      timeout 5 firewall-cmd --list-all-zones
    } 2>/dev/null
    end firewalld
  fi
}
