/** The next commands after a plan, in a build without features: an option of theirs is no part of it. */

import { expect, test, vi } from 'vitest';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { nextCommands, useCommands } from '../../../src/core/render/next.ts';

vi.mock('../../../src/core/seams/seam.ts', async (original) => ({
  ...(await original<typeof import('../../../src/core/seams/seam.ts')>()),
  offered: () => ({}),
}));
vi.mock('../../../src/cli/host-options.ts', async (original) => {
  const real = await original<typeof import('../../../src/cli/host-options.ts')>();
  return { ...real, HOST_OPTIONS: { ...real.HOST_OPTIONS, install: undefined } };
});

test('a retry of failed hosts', () => {
  const results = [{ kind: 'failed', host: 'h1' }] as unknown as Parameters<typeof nextCommands>[0]['results'];
  const around = { args: { hosts: [] }, options: { yes: true, install: true }, global: {}, runtime: {} };
  const next = nextCommands(
    { results } as Parameters<typeof nextCommands>[0],
    around as unknown as Parameters<typeof nextCommands>[1],
  );
  expect(next).toEqual([expect.stringMatching(/docker-tls apply h1/)]);
  expect(next.join()).not.toContain('--install');
});

test('a client is chosen first where env would ask which one', () => {
  const host = completeHost({ name: 'h1', ssh: { destination: 'h1' } });
  const shell = { docker: 'docker', env: { SHELL: '/bin/sh' } };
  expect(useCommands(host, undefined, shell, 'ada')).toEqual([
    'docker-tls client use ada',
    'eval "$(docker-tls env h1)"',
    'docker ps',
  ]);
  expect(useCommands(host, undefined, shell)).toEqual(['eval "$(docker-tls env h1)"', 'docker ps']);
});

test('after a plan: where only clients change there is work too, and the options of the call stay', () => {
  type Planned = Parameters<typeof nextCommands>[0];
  const planned = (credentials: object[]) => {
    const hosts = [
      {
        kind: 'done',
        host: 'h1',
        value: { plan: { files: [], daemon: { action: 'none' }, listener: { action: 'none' } } },
      },
    ];
    return { planned: { hosts, wanted: { credentials } }, results: [] } as unknown as Planned;
  };
  const options = { canary: 1, maxFailures: 2, limit: ['h*'], check: true };
  const around = { args: { hosts: [] }, options, global: { file: 'fleet.yaml', parallel: 4 }, runtime: {} };
  const context = around as unknown as Parameters<typeof nextCommands>[1];
  expect(nextCommands(planned([]), context)).toEqual([]);
  expect(nextCommands(planned([{ kind: 'client' }]), context)).toEqual([
    "docker-tls apply -f fleet.yaml --limit 'h*' --canary 1 --max-failures 2 --parallel 4",
  ]);
});
