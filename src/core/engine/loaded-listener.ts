/** The listener of a host, if it is not the daemon itself. */

import type { StoredClient } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import type { HostSpec } from '../domain/settings.ts';
import { isLimited, listsClients } from '../domain/trust/trust.ts';
import type { Runtime } from '../runtime.ts';
import {
  LISTENERS,
  type ListenerCode,
  type ListenerRequest,
  type ListenerState,
  type OpenedListener,
} from '../seams/listeners.ts';
import type { VerifyRequest } from './verify-host.ts';

/** Undefined if the daemon itself accepts clients. */
export async function listenerOpened(
  request: ListenerRequest,
  runtime: Pick<Runtime, 'signal'>,
): Promise<OpenedListener | undefined> {
  return (await codeOf(request.spec))?.openListener(request, runtime);
}

/** State of the service in front of the daemon; undefined if the daemon itself accepts clients. */
export async function listenerState(
  request: Pick<ListenerRequest, 'session' | 'spec' | 'facts'>,
  runtime: Pick<Runtime, 'signal'>,
): Promise<ListenerState | undefined> {
  return (await codeOf(request.spec))?.lookAtListener(request, runtime);
}

/** Verification of a host whose listener is not the daemon itself: one client of each role. `clients`: accepted ones with their keys here. */
export async function listenerChecks(
  spec: Pick<HostSpec, 'listener' | 'roles'>,
  clients: readonly StoredClient[],
): Promise<Pick<VerifyRequest, 'limited' | 'behind'>> {
  const code = await codeOf(spec);
  const limited = clients.filter(({ record }) => isLimited(record));
  const firsts = limited.filter(({ record: { role } }, index) => {
    return limited.findIndex(({ record }) => record.role === role) === index;
  });
  return {
    behind: listsClients(spec),
    limited: firsts.flatMap(({ record: { name, role = '' }, cert, key }) => {
      const path = code?.refusedPath(role, spec.roles ?? []);
      return path === undefined ? [] : [{ name, role, path, cert, key: key as Secret }];
    }),
  };
}

async function codeOf({ listener }: Pick<HostSpec, 'listener'>): Promise<ListenerCode | undefined> {
  return LISTENERS.all.find(({ name }) => name === listener)?.load();
}
