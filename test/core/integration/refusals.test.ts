/** Error codes for damaged files and unusable records. */

import { expect, test } from 'vitest';
import { PACKAGE_LIST } from '../../../src/core/domain/dockerd/paths.ts';
import { parseState } from '../../../src/core/domain/plan/host-state.ts';
import { completeHost } from '../../../src/core/domain/settings.ts';
import { trustFor } from '../../../src/core/domain/trust/trust.ts';
import type { OpenedHost } from '../../../src/core/engine/intent.ts';
import { planRestored } from '../../../src/core/engine/steps/restore-generation.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';
import { factsOf } from '../../support/host-facts.ts';

test('E_HOST_STATE: state.json of a host that is cut short', () => {
  for (const state of [
    { kind: 'file', mode: '600', owner: '0:0', content: '{"schema":' },
    { kind: 'other', what: 'a FIFO' },
    { kind: 'link', to: '/dev/zero' },
  ] as const) {
    const hints = [expect.stringMatching(/ \/home\/ops\/\S+\/state\.json$/)];
    expect(() => parseState('/home/ops/.local/share/docker-tls/state.json', state)).toThrow(
      expect.objectContaining({ code: 'E_HOST_STATE', exit: 4, hints }),
    );
  }
});

test('E_NO_CLIENTS and E_NO_ISSUER: a host that no client could use, or that could not tell clients apart', () => {
  const clients = new Map([
    ['ann', { name: 'ann', hosts: ['web'] }],
    ['eve', { name: 'eve' }],
  ]);
  const view = {
    ca: undefined,
    oldCas: [],
    clients,
    issuers: new Map(),
    issuing: 'here',
    direct: () => false,
  } as const;
  expect(() => trustFor({ name: 'web', clients: [] }, view)).toThrow(
    expect.objectContaining({ code: 'E_NO_CLIENTS', exit: 2, where: 'web' }),
  );
  expect(() => trustFor({ name: 'web', clients: ['ann'] }, view)).toThrow(
    expect.objectContaining({ code: 'E_NO_ISSUER', exit: 2, hints: ['docker-tls rotate client ann'] }),
  );
});

test.each(['previous', 7] as const)('E_NO_GENERATION: a rollback to %s, which the host has not kept', (to) => {
  const state = { schema: 1, name: 'web', generation: 1, generations: [], managed: [] };
  const opened = { facts: { ...factsOf(), state } } as unknown as OpenedHost;
  const spec = completeHost({ name: 'web', ssh: { destination: 'web' } });
  expect(() => planRestored(opened, spec, { to } as Parameters<typeof planRestored>[2])).toThrow(
    expect.objectContaining({ code: 'E_NO_GENERATION', exit: 2, where: 'web' }),
  );
});

test('E_NOT_SET_UP: a host that is given back, where packages of ours are left', () => {
  const left = (list: string): OpenedHost =>
    ({
      session: { login: { destination: 'web', user: 'root' } },
      facts: factsOf({ [`file:${PACKAGE_LIST}`]: list }),
    }) as unknown as OpenedHost;
  const spec = completeHost({ name: 'web', ssh: { destination: 'web' } });
  const hints = (opened: OpenedHost): readonly string[] => {
    try {
      planRestored(opened, spec, { to: 'none' } as Parameters<typeof planRestored>[2]);
    } catch (error) {
      if (error instanceof DockerTlsError && error.code === 'E_NOT_SET_UP') return error.hints.map(String);
    }
    return [];
  };
  expect(hints(left('absent'))).toEqual(['docker-tls setup web']);
  expect(hints(left('file 600 0:0\naide\nlibx\n'))).toEqual([
    'docker-tls setup web',
    expect.stringMatching(/ssh .*web dpkg --purge aide libx$/),
    expect.stringMatching(new RegExp(`ssh .*web rm ${PACKAGE_LIST}$`)),
  ]);
});
