/** Firewall verdicts on a port, with rules as printed by their own tools: only a certain block is a problem. */

import { expect, test } from 'vitest';
import { type Firewall, judgeFirewall } from '../../../../src/features/firewall/domain/judge-firewall.ts';

const NONE: Firewall = {
  iptables: '',
  ufw: undefined,
  nft: '',
  firewalld: undefined,
  interfaces: ['eth0'],
};
const UFW_POLICY = 'DEFAULT_INPUT_POLICY="DROP"\n';

/** A zone as printed by `firewall-cmd --list-all-zones`. */
function zone(name: string, { target = 'default', interfaces = '', ports = '' } = {}): string {
  return `\n${name} (active)\n  target: ${target}\n  interfaces: ${interfaces}\n  services: ssh\n  ports: ${ports}\n  rich rules: \n`;
}
const zones = (name: string, more = {}): string => `${name}\n${zone(name, more)}`;

type Verdict = 'open' | 'wall' | 'doubt';
const cases: readonly [string, Partial<Firewall>, Verdict][] = [
  ['nothing', {}, 'open'],
  ['firewalld: the port', { firewalld: zones('public', { ports: '22/tcp 2376/tcp' }) }, 'open'],
  ['firewalld: a rich rule or a service may do it', { firewalld: zones('public') }, 'doubt'],
  ['firewalld: a range with the port', { firewalld: zones('public', { ports: '8080/tcp 2300-2400/tcp' }) }, 'open'],
  ['firewalld: the port for UDP', { firewalld: zones('public', { ports: '2376/udp' }) }, 'doubt'],
  ['firewalld: a zone that accepts everything', { firewalld: zones('public', { target: 'ACCEPT' }) }, 'open'],
  [
    "firewalld: the default zone has the port, the interface's zone has not",
    { firewalld: `${zones('public', { ports: '2376/tcp' })}${zone('internal', { interfaces: 'eth0' })}` },
    'doubt',
  ],
  [
    "firewalld: the interface's zone has the port, the default zone has not",
    { firewalld: `${zones('public')}${zone('internal', { interfaces: 'eth0 eth1', ports: '2376/tcp' })}` },
    'open',
  ],
  ['ufw: allowed', { ufw: `${UFW_POLICY}### tuple ### allow tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in` }, 'open'],
  [
    'ufw: allowed for some',
    { ufw: `${UFW_POLICY}### tuple ### limit_log any 2000:3000 0.0.0.0/0 any 10.0.0.0/8 in` },
    'doubt',
  ],
  ['ufw: another port', { ufw: `${UFW_POLICY}### tuple ### allow tcp 22 0.0.0.0/0 any 0.0.0.0/0 in` }, 'wall'],
  ['ufw: allows by default', { ufw: 'DEFAULT_INPUT_POLICY="ACCEPT"\n' }, 'open'],
  [
    'ufw: allows by default, but not this',
    { ufw: 'DEFAULT_INPUT_POLICY="ACCEPT"\n### tuple ### deny tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in' },
    'wall',
  ],
  [
    'ufw: denies one address, allows the rest',
    {
      ufw: `${UFW_POLICY}### tuple ### deny any any 0.0.0.0/0 any 10.9.9.9 in\n### tuple ### allow tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in`,
    },
    'open',
  ],
  [
    'ufw: denies the port to some, allows the rest',
    {
      ufw: `${UFW_POLICY}### tuple ### deny tcp 2376 0.0.0.0/0 any 10.9.9.9 in\n### tuple ### allow tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in`,
    },
    'doubt',
  ],
  ['ufw: no word of what it does by default', { ufw: '' }, 'doubt'],
  ['iptables: drops all', { iptables: '-P INPUT DROP' }, 'wall'],
  ['iptables: drops the port', { iptables: '-P INPUT ACCEPT\n-A INPUT -p tcp -m tcp --dport 2376 -j DROP' }, 'wall'],
  [
    'iptables: rejects the rest, with words',
    {
      iptables:
        '-P INPUT ACCEPT\n-A INPUT -m comment --comment "no \\"-j\\" more" -j REJECT --reject-with icmp-port-unreachable',
    },
    'wall',
  ],
  [
    'iptables: accepts the port',
    { iptables: '-P INPUT DROP\n-A INPUT -p tcp -m multiport --dports 22,2376 -j ACCEPT' },
    'open',
  ],
  ['iptables: a chain of its own', { iptables: '-P INPUT DROP\n-A INPUT -j site' }, 'doubt'],
  ['iptables: goes to a chain of its own', { iptables: '-P INPUT DROP\n-A INPUT -g site' }, 'doubt'],
  ['iptables: all but one', { iptables: '-P INPUT DROP\n-A INPUT -p tcp ! --dport 22 -j ACCEPT' }, 'doubt'],
  [
    'iptables: accepts the port for some',
    { iptables: '-P INPUT DROP\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 2376 -j ACCEPT' },
    'doubt',
  ],
  [
    'iptables: accepts new connections to the port',
    { iptables: '-P INPUT DROP\n-A INPUT -p tcp -m conntrack --ctstate NEW,RELATED -m tcp --dport 2376 -j ACCEPT' },
    'open',
  ],
  ['iptables: drops what goes out', { iptables: '-P INPUT ACCEPT\n-P OUTPUT DROP' }, 'wall'],
  [
    'iptables: drops what goes out, but answers',
    { iptables: '-P OUTPUT DROP\n-A OUTPUT -m state --state RELATED,ESTABLISHED -j ACCEPT' },
    'open',
  ],
  [
    'iptables: drops the answers',
    { iptables: '-P OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --sport 2376 -j DROP' },
    'wall',
  ],
  [
    'iptables: drops what goes out to another port',
    { iptables: '-P OUTPUT ACCEPT\n-A OUTPUT -p tcp -m tcp --dport 25 -j DROP' },
    'open',
  ],
  [
    'iptables: too many to tell',
    { iptables: `-P INPUT DROP${'\n-A INPUT -s 10.0.0.1 -p udp -j ACCEPT'.repeat(200)}` },
    'doubt',
  ],
  ...[
    '-p tcp -m tcp --tcp-flags FIN,SYN,RST,PSH,ACK,URG NONE',
    '-f',
    '-d 224.0.0.0/4',
    '-s 10.0.0.0/8',
    '-i eth1',
    '-m conntrack --ctstate INVALID',
    '-p tcp ! --dport 22',
    '-m limit --limit 5/min',
  ].map((rule): [string, Partial<Firewall>, Verdict] => [
    `iptables: drops some: ${rule}`,
    { iptables: `-P INPUT ACCEPT\n-A INPUT ${rule} -j DROP` },
    'open',
  ]),
  [
    'iptables: rejects the port for some',
    {
      iptables:
        '-P INPUT ACCEPT\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 2376 -j REJECT --reject-with icmp-port-unreachable',
    },
    'doubt',
  ],
  [
    'iptables: rejects the port for some, and accepts it for the rest',
    {
      iptables:
        '-P INPUT DROP\n-A INPUT -s 10.0.0.0/8 -p tcp -m tcp --dport 2376 -j REJECT\n-A INPUT -p tcp --dport 2376 -j ACCEPT',
    },
    'doubt',
  ],
  [
    'iptables: drops some first, and then all',
    { iptables: '-P INPUT DROP\n-A INPUT -d 224.0.0.0/4 -j DROP\n-A INPUT -p tcp --dport 22 -j ACCEPT' },
    'wall',
  ],
  ['nft: drops by default', { nft: nft('drop', 'tcp dport 22 accept') }, 'doubt'],
  ['nft: the port', { nft: nft('drop', 'tcp dport { 22, 2300-2400 } accept') }, 'open'],
  ['nft: the port for some', { nft: nft('drop', 'ip saddr 10.0.0.0/8 tcp dport 2376 accept') }, 'doubt'],
  ['nft: drops the port', { nft: nft('accept', 'tcp dport 2376 drop') }, 'doubt'],
  ['nft: what goes out', { nft: nft('drop', 'ct state established,related accept', 'output') }, 'open'],
  ['nft: drops what goes out', { nft: nft('drop', 'udp dport 53 accept', 'output') }, 'doubt'],
  ['nft: accepts by default', { nft: nft('accept', 'tcp dport 22 accept') }, 'open'],
];

function nft(policy: string, rule: string, hook = 'input'): string {
  return `table inet filter {\n\tchain ${hook} {\n\t\ttype filter hook ${hook} priority filter; policy ${policy};\n\t\t${rule}\n\t}\n}`;
}

test.each(cases)('%s', (_, firewall, verdict) => {
  const { wall, doubt } = judgeFirewall({ ...NONE, ...firewall }, 2376);
  expect(wall ? 'wall' : doubt ? 'doubt' : 'open').toBe(verdict);
});

const DENIED = '### tuple ### deny any 2376 0.0.0.0/0 any 0.0.0.0/0 in';
test.each<[string, Partial<Firewall>, string[]]>([
  ['ufw appends', { ufw: UFW_POLICY }, ['ufw allow 2376/tcp']],
  [
    'ufw replaces the very rule',
    { ufw: `${UFW_POLICY}### tuple ### reject tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in` },
    ['ufw allow 2376/tcp'],
  ],
  ['ufw comes before a rule that denies', { ufw: `${UFW_POLICY}${DENIED}` }, ['ufw prepend allow 2376/tcp']],
  [
    'ufw takes its own rule from behind that one',
    { ufw: `${UFW_POLICY}${DENIED}\n### tuple ### allow tcp 2376 0.0.0.0/0 any 0.0.0.0/0 in` },
    ['ufw delete allow 2376/tcp', 'ufw prepend allow 2376/tcp'],
  ],
  [
    "firewalld opens the interface's zone",
    { firewalld: `${zones('public')}${zone('internal', { interfaces: 'eth0' })}` },
    ['firewall-cmd --permanent --zone=internal --add-port=2376/tcp', 'firewall-cmd --reload'],
  ],
])('the commands that open the port: %s', (_, firewall, hints) => {
  const { wall, doubt } = judgeFirewall({ ...NONE, ...firewall }, 2376);
  expect((wall ?? doubt)?.hints).toEqual(hints);
});
