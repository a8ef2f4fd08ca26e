/** What `setup` proposes for docker here: a context of the host's name, but none where only SSH reaches the host. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { propose } from '../../../src/core/actions/setup-questions.ts';
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
