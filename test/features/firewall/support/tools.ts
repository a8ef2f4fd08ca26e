/** ufw and firewalld on a lab host: their packages, how they begin, and how each closes the TLS port. */

const ZONE = '--permanent --zone=internal';
export const UFW = {
  packages: ['ufw', 'iptables', 'libip6tc2', 'libnfnetlink0', 'libnetfilter-conntrack3', 'libnftnl11'],
  begin:
    'cp /usr/share/ufw/iptables/*.rules /usr/share/ufw/*.init /usr/share/ufw/ufw.conf /etc/ufw/ && ufw allow 22/tcp && ufw --force enable',
  code: 'E_FIREWALL',
  cause: 'timed-out',
  cases: [
    { name: 'by default', close: 'ufw delete allow 2376/tcp' },
    {
      name: 'with a rule that denies',
      close: 'ufw delete allow 2376/tcp; ufw deny 2376',
      end: 'ufw delete deny 2376',
    },
  ],
};
export const FIREWALLD = {
  packages:
    'firewalld python3-firewall python3-dbus python3-gi python3-cap-ng gir1.2-glib-2.0 gir1.2-girepository-2.0 libgirepository-1.0-1 libglib2.0-0t64 libffi8 libatomic1 libpcre2-8-0 libdbus-1-3 python3-nftables libnftables1 libnftnl11 libjansson4 libedit2 libbsd0 libmd0'.split(
      ' ',
    ),
  begin: 'systemctl start firewalld && systemctl restart docker',
  code: 'E_PORT_FILTERED',
  cause: 'unreachable',
  cases: [
    { name: 'by default', close: 'firewall-cmd --permanent --remove-port=2376/tcp; firewall-cmd --reload' },
    {
      name: 'with the interface in another zone than the default',
      close: `firewall-cmd ${ZONE} --add-interface=host0; firewall-cmd ${ZONE} --add-service=ssh; firewall-cmd ${ZONE} --remove-port=2376/tcp; firewall-cmd --permanent --zone=public --add-port=2376/tcp; firewall-cmd --reload`,
      end: `firewall-cmd ${ZONE} --remove-interface=host0`,
    },
  ],
};
