/** Firewalls of a host that keep its TLS port closed: named before anything changes, and the command that is printed opens the port. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { installNft } from '../support/nft.ts';
import { newPerson, type Person, snapshotHost } from '../support/person.ts';

let program: Program;
let host: LabHost;
let person: Person;

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['firewalls'] })) as [LabHost];
  person = newPerson(program, [host]);
  installNft(host);
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

const OPEN =
  'iptables -A INPUT -i lo -j ACCEPT; iptables -A INPUT -m conntrack --ctstate RELATED,ESTABLISHED -j ACCEPT; iptables -A INPUT -p tcp --dport 22 -j ACCEPT';
const nft = (hook: string, rules: string): string =>
  `nft -f - <<'END'\ntable inet site {\n chain ${hook} {\n type filter hook ${hook} priority filter; policy drop;\n iif lo accept\n oif lo accept\n ${rules}\n }\n}\nEND`;

test.each([
  [
    'iptables: for other sources only',
    `${OPEN}; iptables -A INPUT -s 192.0.2.0/24 -p tcp --dport 2376 -j ACCEPT; iptables -P INPUT DROP`,
    'E_PORT_FILTERED',
    'iptables -I INPUT -p tcp --dport 2376 -j ACCEPT',
  ],
  [
    'iptables: no answers',
    'iptables -A OUTPUT -p tcp --sport 2376 -j DROP',
    'E_FIREWALL',
    'iptables -I OUTPUT -p tcp --sport 2376 -j ACCEPT',
  ],
  [
    'nftables: drops by default',
    nft('input', 'ct state established,related accept\n tcp dport 22 accept'),
    'E_PORT_FILTERED',
    'nft insert rule inet site input tcp dport 2376 accept',
  ],
  [
    'nftables: drops what goes out',
    nft('output', 'tcp sport 22 accept'),
    'E_PORT_FILTERED',
    'nft insert rule inet site output tcp sport 2376 accept',
  ],
])('%s', async (_name, close, code, command) => {
  await host.must(
    `iptables -P INPUT ACCEPT; iptables -F INPUT; iptables -F OUTPUT; nft delete table inet site; ${close}`,
  );
  const before = await snapshotHost(host);
  const refused = await person.run(person.setup(host));
  expect(refused, refused.err).toMatchObject({ status: 4 });
  expect(refused.err).toContain(code);
  expect(refused.err).toMatch(new RegExp(`hint: ssh .* root@${host.address} ${command}\n`));
  expect(await snapshotHost(host)).toBe(before);
  await host.must(command);
  for (const words of [person.setup(host), ['remove', host.name, '--yes']]) {
    const run = await person.run(words);
    expect(run, run.err).toMatchObject({ status: 0 });
  }
});
