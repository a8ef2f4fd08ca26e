/** HAProxy as the listener of a host without problems; a test changes one part of it. */

import type { DesiredHost } from '../../../../src/core/domain/plan/desired.ts';
import type { HostFacts } from '../../../../src/core/domain/plan/facts.ts';
import { type HostPlan, planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { planRestore } from '../../../../src/core/domain/plan/plan-restore.ts';
import { completeHost } from '../../../../src/core/domain/settings.ts';
import type { PlannedHost } from '../../../../src/core/engine/intent.ts';
import { restoringListener } from '../../../../src/core/engine/loaded-listener.ts';
import type { HostSession } from '../../../../src/core/runtime.ts';
import type { ListenerRequest } from '../../../../src/core/seams/listeners.ts';
import { desiredListener, type HaproxyListener } from '../../../../src/features/haproxy/domain/plan-listener.ts';
import { openHaproxy } from '../../../../src/features/haproxy/engine/open-listener.ts';
import { factsOf } from '../../../support/host-facts.ts';
import { printSections } from '../../../support/sections.ts';

/** Facts about HAProxy on a host without any problem. */
export const HAPROXY = {
  program: '/usr/sbin/haproxy',
  version: 'HAProxy version 3.0.11-1+deb13u5 2026/11/18 - https://haproxy.org/',
  account: 'haproxy:x:100:103::/var/lib/haproxy:/usr/sbin/nologin',
  socket: '660 0 104 docker',
  service: 'LoadState=not-found\nActiveState=inactive\nMainPID=0',
  enforcing: '',
  execmem: '',
  compiles: '',
  allowed: '',
  'program-label': '',
  'socket-label': '',
  apparmor: '',
};

export const SPEC = { name: 'h1', ssh: { destination: 'h1' }, listener: 'haproxy' } as const;

export function opened(
  more: Partial<typeof HAPROXY> = {},
  facts: Readonly<Record<string, string | undefined>> = {},
  request: Partial<ListenerRequest> = {},
) {
  const texts = Object.entries({ ...HAPROXY, ...more, done: '' });
  const stdout = printSections(
    'listener',
    texts.map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
  const session = {
    host: 'h1',
    login: { destination: 'h1', user: 'root' },
    run: async () => ({ status: 0, stdout, stderr: '' }),
  } as unknown as HostSession;
  const spec = completeHost(SPEC);
  return openHaproxy(
    {
      ...{ session, spec, facts: factsOf(facts), cas: '', issuers: '', otherCas: '', rejected: [], recorded: false },
      startSockets: false,
      clients: [{ name: 'laptop', direct: false }],
      ...request,
    },
    { signal: undefined as unknown as AbortSignal },
  );
}

/** Whose commands a warning names. */
export const LOGIN = { destination: 'h1', user: 'root' };

/** Plan of a host with this listener. */
export function planWith(
  facts: HostFacts,
  wanted: DesiredHost,
  listener: HaproxyListener,
  { sockets, startSockets = false }: { readonly sockets?: readonly string[]; readonly startSockets?: boolean } = {},
): HostPlan {
  const spec = { ...completeHost(SPEC), ...wanted, sockets };
  return planHost(facts, {
    ...wanted,
    listener: desiredListener({ facts, spec, login: LOGIN, startSockets }, listener),
  });
}

/** Rollback or removal of a host. */
export function restoreWith(
  facts: HostFacts,
  target: number | 'none',
  wanted: DesiredHost,
  sockets?: readonly string[],
): Promise<PlannedHost> {
  const spec = { ...completeHost(SPEC), sockets };
  const plan = planRestore(facts, target, wanted);
  return restoringListener({ facts, spec, session: { login: LOGIN }, plan, problems: [] } as unknown as PlannedHost);
}
