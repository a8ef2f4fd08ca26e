/** Answers that `setup` proposes. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { propose, proposedName } from '../../../src/core/actions/setup-proposal.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';

test.each([
  ['direct', undefined, 'web'],
  ['ssh', undefined, undefined],
  ['ssh', 'mine', 'mine'],
] as const)('--reach %s, --context %s', async (reach, requested, proposed) => {
  const home = mkdtempSync(join(tmpdir(), 'docker-tls-proposal-'));
  const first = completeHost({ name: 'web', ssh: { destination: 'web.example' }, reach, context: requested });
  const state = { hosts: new Map() };
  const around = { options: { noContext: false }, runtime: { env: { HOME: home } }, flags: {}, state };
  const opened = { facts: { hostname: 'web' }, session: { dialled: '10.0.0.1' } };
  const { context } = await propose(
    around as unknown as Parameters<typeof propose>[0],
    first,
    opened as unknown as Parameters<typeof propose>[2],
  );
  rmSync(home, { recursive: true });
  expect(context).toBe(proposed);
});

const hosts = new Map([['taken', {}]]) as never;

test.each([
  ['10.0.0.7', 'web.example.org', 'web'],
  ['10.0.0.7', 'localhost', 'proposed'],
  ['10.0.0.7', 'taken', 'proposed'],
  ['alias', 'web', 'proposed'],
  ['fe80::1', 'web', 'web'],
  ['local', 'web', 'web'],
])('a name for %s, whose own is %s', (destination, hostname, name) => {
  const spec = completeHost({ name: 'proposed', ssh: { destination } });
  expect(proposedName(spec, { hostname }, { hosts })).toBe(name);
});
