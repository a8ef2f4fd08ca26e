/** A host whose clients another service accepts, in a build without that feature. */

import { afterEach, expect, test } from 'vitest';
import { type FileChange, textFile } from '../../../src/core/domain/plan/file-change.ts';
import { completeHost, type HostSpec } from '../../../src/core/domain/settings.ts';
import type { PlannedHost } from '../../../src/core/engine/intent.ts';
import { requireListenerCode, requireOpening, restoringListener } from '../../../src/core/engine/loaded-listener.ts';
import { LISTENERS } from '../../../src/core/seams/listeners.ts';
import { factsOf } from '../../support/host-facts.ts';

const UNIT = '/etc/systemd/system/docker-tls-haproxy.service';
const all = LISTENERS.all as (typeof LISTENERS.all)[number][];
const before = [...all];
afterEach(() => {
  all.splice(0, all.length, ...before);
});

function facts(managed: readonly string[], unit: string | undefined) {
  const state = {
    ...{ schema: 1, name: 'h1', generation: 1, generations: [] },
    managed: managed.map((path) => ({ kind: 'file', path })),
  };
  return factsOf({
    'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}`,
    ...(unit === undefined ? {} : { [`file:${UNIT}`]: `file 644 0:0\n${unit}` }),
  });
}

test('is refused, and never read as one whose dockerd accepts every client', async () => {
  all.splice(0);
  expect(() => requireListenerCode('h1', facts([UNIT], '[Unit]'))).toThrow(
    expect.objectContaining({ code: 'E_NO_LISTENER', exit: 4 }),
  );
  // A generation may have another listener than now.
  const restored = (files: readonly FileChange[]) =>
    restoringListener({ facts: facts([], undefined), spec: { name: 'h1' }, plan: { files } } as unknown as PlannedHost);
  await expect(restored([textFile(UNIT, '[Unit]')])).rejects.toMatchObject({ code: 'E_NO_LISTENER', exit: 4 });
  await expect(restored([])).resolves.toMatchObject({ plan: { files: [] } });
  // Without the service, or with one that is not ours, dockerd itself accepts clients.
  expect(() => requireListenerCode('h1', facts([], undefined))).not.toThrow();
  expect(() => requireListenerCode('h1', facts([], '[Unit]'))).not.toThrow();
});

test('has a port in such a build, and no sockets', async () => {
  all.splice(0);
  const opening = (more: Pick<Partial<HostSpec>, 'listen' | 'sockets'>) =>
    requireOpening(completeHost({ name: 'h1', ssh: { destination: 'h1' }, ...more }), undefined, true);
  await expect(opening({})).resolves.toBeUndefined();
  for (const more of [{ listen: ['none'] }, { sockets: ['ci read'] }, { listen: ['none'], sockets: ['ci read'] }])
    await expect(opening(more)).rejects.toMatchObject({ code: 'E_USAGE', exit: 2, where: 'h1' });
});

test('is taken by a build that has it', () => {
  all.splice(0, all.length, { name: 'front', roles: [], lists: [], load: () => Promise.reject(new Error('not here')) });
  expect(() => requireListenerCode('h1', facts([UNIT], '[Unit]'))).not.toThrow();
});
