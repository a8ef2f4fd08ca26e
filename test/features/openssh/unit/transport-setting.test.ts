/** The settings `transport` and `config`, in a fleet file and in a record. */

import { expect, test } from 'vitest';
import { HOST_FILE } from '../../../../src/core/adapters/store/parse-records.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';
import { resolveFleetPaths } from '../../../../src/features/fleet/domain/fleet-paths.ts';
import { sampleHost } from '../../../support/store.ts';

const fleet = (transport: string) =>
  parseFleet(`version: 1\nhosts:\n  edge:\n    ssh: { destination: edge, transport: ${transport} }\n`, 'fleet.yaml');

test('a fleet file chooses it', () => {
  for (const transport of ['ssh2', 'openssh'])
    expect(fleet(transport).hosts[0]?.ssh).toEqual({ destination: 'edge', transport });
  expect(() => fleet('telnet')).toThrow();
});

test('a record keeps it, and can have no other', () => {
  const { record } = sampleHost('web', 1);
  const ssh = { ...record.ssh, transport: 'openssh' } as const;
  expect(HOST_FILE.read(HOST_FILE.write({ ...record, ssh }))).toEqual({ ok: true, value: { ...record, ssh } });
  const json = JSON.parse(HOST_FILE.write(record));
  expect(HOST_FILE.read(JSON.stringify({ ...json, ssh: { ...ssh, transport: 'telnet' } }))).toMatchObject({
    ok: false,
    problem: expect.toSay('telnet-is-no-transport'),
  });
});

test.each([
  ['../ssh', '/srv/ssh'],
  ['~/.ssh/farm', '/home/ada/.ssh/farm'],
])('the configuration %s is relative to the fleet file, or to the home', (config, configFile) => {
  const text = `version: 1\nhosts:\n  edge: { ssh: { destination: edge, config: ${config} } }\n`;
  const fleet = resolveFleetPaths(parseFleet(text, '/srv/fleet/fleet.yaml'), '/home/ada');
  expect(fleet.hosts[0]?.ssh).toEqual({ destination: 'edge', configFile });
});
