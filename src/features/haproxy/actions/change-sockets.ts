/** A change of the sockets of one host: its settings, then the usual plan, transaction and verification. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { type HostsOptions, openHosts } from '../../../core/actions/open-hosts.ts';
import type { Changed } from '../../../core/actions/results.ts';
import { NO_PORT } from '../../../core/domain/network-port.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { HostSpec } from '../../../core/domain/settings.ts';
import { hostsIntent } from '../../../core/domain/trust/wanted-hosts.ts';
import { change } from '../../../core/engine/change.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

/** Fails with E_LISTENER (exit 4) where dockerd itself accepts clients, and as openHosts and the change do. */
export async function changeSockets(
  context: ActionContext,
  host: string,
  options: HostsOptions,
  next: (sockets: readonly string[]) => readonly string[],
): Promise<Changed> {
  const { run, request, state } = await openHosts(context, [host], options);
  const hosts = request.hosts.map((spec) => {
    const known = state.hosts.get(spec.name) !== undefined || context.global.file !== undefined;
    const base = known ? spec : withoutPort(spec, options);
    if (base.listener !== 'haproxy') throw withoutHaproxy(spec.name);
    return {
      ...base,
      sockets: next(base.sockets ?? []),
    };
  });
  return change(hostsIntent({ ...request, reason: 'setup', hosts }), run);
}

/** A host that has never been set up gets no port in the network. */
function withoutPort(spec: HostSpec, { installs }: HostsOptions): HostSpec {
  return { ...spec, listener: 'haproxy', listen: [NO_PORT], install: installs ? true : spec.install };
}

function withoutHaproxy(host: string): DockerTlsError {
  return new DockerTlsError('E_LISTENER', 'dockerd itself accepts clients there, and has no sockets with a role', {
    where: host,
    hints: [`docker-tls setup ${shellQuote(host)} --listener haproxy`],
  });
}
