/** Edits can express every fleet file that parses; no text can crash or hang the parsers. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { stringify } from 'yaml';
import { KEY_TYPES } from '../../../../src/core/domain/pki/key-types.ts';
import { COPIES } from '../../../../src/core/seams/copies.ts';
import { HARDEN_VALUES } from '../../../../src/core/seams/harden-values.ts';
import { offered } from '../../../../src/core/seams/seam.ts';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { addClientToFleet, addHostToFleet } from '../../../../src/features/fleet/domain/edit.ts';
import { type Fleet, parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

/** The fleet, or undefined after errors that a user can see; anything else fails the test. */
function parsed(text: string): Fleet | undefined {
  try {
    return parseFleet(text, 'f');
  } catch (error) {
    if (!(error instanceof DockerTlsErrors)) throw error;
    expect(error.errors.length).toBeGreaterThan(0);
    for (const one of error.errors) {
      expect(one.code).toBe('E_FLEET');
      expect(one.exit).toBe(2);
      expect(one.where).toMatch(/^f:[1-9]\d*:[1-9]\d*$/);
    }
    return undefined;
  }
}

const name = fc
  .stringMatching(/^[a-z][a-z0-9-]{0,8}$/)
  .filter((text) => !/^(?:con|prn|aux|nul|com\d|lpt\d|local)$/.test(text));
const address = fc.oneof(
  fc.ipV4(),
  fc.ipV6().filter((text) => !text.includes('.')),
  fc.stringMatching(/^[a-z][a-z0-9]{0,6}\.[a-z]{2,5}$/),
);
const path = fc.stringMatching(/^[~/a-z][a-zA-Z0-9 $;'"&|#:{}*!%@,[\]`\\-]{0,12}$/);
const days = fc.integer({ min: 1, max: 36_500 });
const reference = fc.oneof(
  fc.constant('prompt'),
  fc.stringMatching(/^env:[A-Z_]{1,8}$/),
  path.map((text) => `file:${text}`),
);
const list = <T>(item: fc.Arbitrary<T>) => fc.uniqueArray(item, { maxLength: 3 });

const ssh = fc.record(
  {
    user: fc.stringMatching(/^[a-z_][a-z0-9_-]{0,6}$/),
    port: fc.integer({ min: 1, max: 65_535 }),
    identities: list(path),
    config: path,
    jump: list(address.map((text) => (text.includes(':') ? `[${text}]` : text))),
    'host-key': fc.constantFrom('strict', 'accept-new', `SHA256:${'x'.repeat(43)}`),
  },
  { requiredKeys: [] },
);

const common = {
  port: fc.integer({ min: 1, max: 65_535 }),
  listen: list(fc.oneof(fc.ipV4(), fc.ipV6())),
  sans: list(address),
  'key-type': fc.constantFrom(...KEY_TYPES),
  days,
  containers: fc.constantFrom('keep', 'may-stop'),
  keys: fc.constantFrom('store', 'host'),
  'live-restore': fc.boolean(),
  keep: fc.integer({ min: 1, max: 100 }),
  'confirm-within': fc.oneof(
    fc.integer({ min: 10, max: 86_400 }),
    fc.integer({ min: 1, max: 24 }).map((hours) => `${hours}h`),
  ),
  ...(HARDEN_VALUES.all.length > 0 ? { harden: list(fc.constantFrom('sshd', 'icc', 'log-limits')) } : {}),
  'sudo-password': reference,
};

/** A fleet file as plain data, correct by construction except for contradictions (refused by parsed()). */
const fleetData = fc
  .record({
    hostNames: fc.uniqueArray(name, { minLength: 1, maxLength: 4 }),
    clientNames: fc.uniqueArray(name, { maxLength: 3 }),
  })
  .chain(({ hostNames, clientNames }) => {
    const clients =
      clientNames.length === 0
        ? {}
        : { clients: fc.oneof(fc.constant('all'), fc.subarray(clientNames, { minLength: 1 })) };
    const destination = address.map((text) => ({ destination: text }));
    const host = fc.oneof(
      fc.constant(null),
      address.map((text) => (text.includes(':') ? `root@[${text}]:22` : `${text}:22`)),
      fc.record(
        {
          ssh: fc.oneof(
            address,
            fc.tuple(destination, ssh).map(([to, rest]) => ({ ...to, ...rest })),
            ssh,
          ),
          address,
          ...offered(COPIES, { context: fc.stringMatching(/^[a-z]{8}$/) }),
          ...common,
          ...clients,
        },
        { requiredKeys: [] },
      ),
    );
    const client = fc.oneof(
      fc.constant(null),
      fc.record(
        {
          days,
          'key-type': common['key-type'],
          hosts: fc.constantFrom('all', ...hostNames.map((one) => [one])),
          revoked: fc.boolean(),
        },
        { requiredKeys: [] },
      ),
    );
    const section = <T>(names: readonly string[], entry: fc.Arbitrary<T>) =>
      fc
        .tuple(...names.map(() => entry))
        .map((entries) => Object.fromEntries(names.map((one, index) => [one, entries[index]])));
    return fc.record(
      {
        version: fc.constant(1),
        ca: fc.record(
          { name, 'key-type': common['key-type'], days, passphrase: fc.oneof(reference, fc.constant('none')) },
          { requiredKeys: [] },
        ),
        defaults: fc.record({ ssh, ...common, ...clients }, { requiredKeys: [] }),
        hosts: section(hostNames, host),
        clients: section(clientNames, client),
      },
      { requiredKeys: ['version', 'hosts', 'clients'] },
    );
  });

describe('a fleet file that parses', () => {
  test('is, host by host and client by client, what edits make', () => {
    let moves = 0;
    let good = 0;
    fc.assert(
      fc.property(fleetData, fleetData, (data, other) => {
        const fleet = parsed(JSON.stringify(data));
        if (fleet === undefined) return;
        good += 1;
        const bare = Object.entries<object | null | undefined>(data.clients).map(([one, entry]) => [
          one,
          { ...entry, hosts: 'all' },
        ]);
        const start = stringify({ ...data, hosts: {}, clients: Object.fromEntries(bare) });
        let text = `${start.replace('version: 1', 'version: 1 # ours')}# the end\n`;
        for (const host of fleet.hosts)
          text = addHostToFleet(text, host, { sudoPassword: fleet.secrets.sudoPassword[host.name] });
        for (const client of fleet.clients) text = addClientToFleet(text, client);
        const again = parsed(text) as Fleet;
        expect(again.hosts, text).toEqual(fleet.hosts);
        expect(again.clients).toEqual(fleet.clients);
        expect(again.secrets.sudoPassword).toEqual(fleet.secrets.sudoPassword);
        expect(text).toContain('# ours');
        expect(text).toContain('# the end');
        // A host with the same name but different otherwise: only it changes.
        const [first] = fleet.hosts;
        const next = parsed(JSON.stringify({ ...other, clients: {} }))?.hosts[0];
        if (first === undefined || next === undefined) return;
        const moved = {
          ...next,
          name: first.name,
          clients: first.clients,
          ssh: { ...next.ssh, destination: 'moved.example.org' },
        };
        let edited: string;
        try {
          edited = addHostToFleet(text, moved);
        } catch (error) {
          // The defaults of this file give more than the other host has: an error, and nothing is written.
          expect(error).toMatchObject({ code: 'E_FLEET_DEFAULTS' });
          return;
        }
        expect((parsed(edited) as Fleet).hosts, edited).toEqual([moved, ...fleet.hosts.slice(1)]);
        moves += 1;
      }),
      // Three in ten move a host: with half as many runs, one time in 30,000 none did.
      { numRuns: 60 },
    );
    expect(good).toBeGreaterThan(8);
    expect(moves).toBeGreaterThan(0);
  });
});

const SCRAPS = [
  'version: 1\n',
  'hosts:\n',
  '  a: ',
  '  b:\n',
  'clients: ',
  'ssh: ',
  'root@x',
  '{',
  '}',
  '[',
  ']',
  ',',
  ': ',
  '- ',
  '? ',
  '\n',
  '  ',
  '\t',
  '"',
  "'",
  '|\n',
  '>-\n',
  '&a ',
  '*a',
  '!!str ',
  '!x ',
  '<<: ',
  '---\n',
  '...\n',
  '%YAML 1.1\n',
  '#',
  '\u0000',
  '\u2028',
  '\ufeff',
  '\r\n',
  '1e400',
  '.nan',
  '0x7f',
  '~',
  '__proto__',
  'constructor',
  'toString',
];

describe('no text crashes the parsers', () => {
  test('random bytes', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 200 }), (bytes) => {
        parsed(Buffer.from(bytes).toString('utf8'));
        parsed(Buffer.from(bytes).toString('latin1'));
      }),
      { numRuns: 250 },
    );
  });

  test('random text, and scraps of YAML in any order', () => {
    fc.assert(
      fc.property(
        fc.array(fc.oneof(fc.constantFrom(...SCRAPS), fc.string({ unit: 'binary', maxLength: 5 })), { maxLength: 40 }),
        (parts) => {
          const text = parts.join('');
          if (parsed(text) === undefined) parsed(`version: 1\nhosts:\n${text}`);
        },
      ),
      { numRuns: 400 },
    );
  });

  test('a good file with one piece broken', () => {
    fc.assert(
      fc.property(fleetData, fc.nat(), fc.nat({ max: 20 }), fc.constantFrom(...SCRAPS), (data, at, length, scrap) => {
        const text = JSON.stringify(data, null, 2);
        const start = at % text.length;
        parsed(text.slice(0, start) + scrap + text.slice(start + length));
      }),
      { numRuns: 250 },
    );
  });
});

/** Texts that would cost memory, stack or time later are refused first. */
describe('bombs', () => {
  const aliases = [
    'a: &a [x, x, x, x, x, x, x, x, x]',
    ...[...'bcdefghij'].map(
      (letter, index) => `${letter}: &${letter} [${Array(9).fill(`*${'abcdefghij'[index]}`).join(', ')}]`,
    ),
  ].join('\n');
  const chain = [
    'hosts:',
    '  a0: &a0 {ssh: x}',
    ...Array.from({ length: 3000 }, (_, index) => `  a${index + 1}: &a${index + 1} [*a${index}]`),
  ].join('\n');
  const bombs: Readonly<Record<string, string>> = {
    'a billion laughs': aliases,
    'a chain of aliases': chain,
    'lists in lists': `a: ${'['.repeat(100_000)}`,
    'maps in maps': `a: ${'{a: '.repeat(50_000)}`,
    'lists in lists, closed': `a: ${'['.repeat(2000)}${']'.repeat(2000)}`,
    'dashes on one line': '- '.repeat(100_000),
    'question marks on one line': '? '.repeat(100_000),
    'ever deeper lines': Array.from({ length: 3000 }, (_, depth) => `${' '.repeat(depth)}a:`).join('\n'),
    'a huge file': 'a'.repeat(5 * 1024 * 1024),
  };
  test.each(Object.entries(bombs))('%s', (_, text) => {
    expect(parsed(text)).toBeUndefined();
  });

  test('ten thousand hosts are no bomb', () => {
    const text = `version: 1\nhosts:\n${Array.from({ length: 10_000 }, (_, index) => `  h${index}: root@10.${index >> 8}.${index & 255}.1`).join('\n')}\n`;
    expect(parsed(text)?.hosts.length).toBe(10_000);
  });

  test('brackets within texts are no depth', () => {
    expect(
      parsed(`version: 1\n# ${'['.repeat(500)}\nhosts: {a: {ssh: {identities: ["${'['.repeat(500)}"]}}}\n`)?.hosts
        .length,
    ).toBe(1);
  });
});
