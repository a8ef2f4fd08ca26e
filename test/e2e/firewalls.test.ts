/** Firewalls of a host that keep its TLS port closed: named before anything changes, and the command that is printed opens the port. */

import { afterAll, beforeAll, describe, expect, onTestFinished, test } from 'vitest';
import { FIREWALLD, UFW } from '../features/firewall/support/tools.ts';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { installNft, installPackages } from '../support/nft.ts';
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

/** The commands among the hints, run one by one as they are printed. */
async function paste(hints: readonly string[]): Promise<void> {
  for (const hint of hints.filter((one) => one.startsWith('ssh ')))
    expect(await person.call('sh', ['-c', hint])).toMatchObject({ status: 0 });
}
const hintsOf = (text: string): string[] =>
  Array.from(text.matchAll(/hint: (ssh .* (?:ufw|firewall-cmd) .*)/g), ([, hint = '']) => hint);

describe.each([
  { tool: 'ufw', ...UFW },
  { tool: 'firewalld', ...FIREWALLD },
])('$tool itself', ({ packages, begin, code, cause, cases }) => {
  let own: LabHost;
  let owner: Person;

  beforeAll(async () => {
    [own] = (await labUp({ names: ['firewall-tool'] })) as [LabHost];
    owner = newPerson(program, [own]);
    await installPackages(own, packages);
    await own.must(begin);
  });
  afterAll(async () => {
    await own?.down();
    owner?.remove();
  });

  test.each<{ name: string; close: string; end?: string }>(cases)(
    '$name: setup and doctor print the command that opens the port',
    async ({ close, end = 'true' }) => {
      await own.must(close);
      onTestFinished(async () => {
        await owner.run(['remove', own.name, '--yes']);
        await own.must(end);
      });
      const before = await snapshotHost(own);
      const refused = await owner.run(owner.setup(own));
      expect(refused, refused.err).toMatchObject({ status: 4 });
      expect(refused.err).toContain(code);
      expect(await snapshotHost(own)).toBe(before);
      await paste(hintsOf(refused.err));
      const done = await owner.run(owner.setup(own));
      expect(done, done.err).toMatchObject({ status: 0 });
      await own.must(close);
      const doctor = ['doctor', own.name, '--timeout', '3s', '--json'];
      const { result } = JSON.parse((await owner.run(doctor)).out);
      expect(result).toMatchObject({ cause });
      await paste(result.hints);
      expect(JSON.parse((await owner.run(doctor)).out).result).toMatchObject({ cause: 'none' });
    },
  );
});
