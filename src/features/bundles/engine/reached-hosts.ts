/** Probes of other stores' hosts as imported clients: only a connection shows a revocation. */

import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import { given } from '../../../core/domain/given.ts';
import { reachedSpecs } from '../../../core/domain/hosts/specs.ts';
import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { LiveRow, ReachedHost } from '../../../core/domain/status-row.ts';
import { accepts, type ReachableHost, reachableHosts } from '../../../core/domain/trust/reachable-hosts.ts';
import { overHosts } from '../../../core/engine/pool.ts';
import { probeAs } from '../../../core/engine/probes.ts';
import type { ProbeOutcome } from '../../../core/runtime.ts';
import { offeredCommands } from '../../../core/seams/offered-commands.ts';
import type { ReachedHosts } from '../../../core/seams/reached-hosts.ts';

/** As ReachedHosts.knownReached. */
export function knownReached(state: StoreState, names: ReadonlySet<string>): ReachedHost[] {
  const hosts = reachableHosts(state);
  return reachedSpecs(state)
    .filter(({ name }) => names.size === 0 || names.has(name))
    .flatMap(({ name }) => {
      const host = hosts.get(name) as ReachableHost;
      const address = `${host.record.address}:${host.record.port}`;
      return [...state.clients.values()]
        .filter((client) => accepts(host, client))
        .map(({ record }) => ({ name, address, client: record.name, access: 'not asked' as const }));
    });
}

/** As ReachedHosts.askReached. Skips clients without a host or without a key on this machine, and expired clients. */
export const askReached: ReachedHosts['askReached'] = async ({ parallel, progress, runtime }, state, names) => {
  const { signal } = runtime;
  const now = runtime.now();
  const hosts = reachableHosts(state);
  const unexpired = [...state.clients.values()].filter(({ cert }) => inspectCertificate(cert).notAfter > now);
  const rows = new Map<string, LiveRow>();
  const asked = new Map<string, Pick<ReachedHost, 'access' | 'reason'>>();
  const specs = reachedSpecs(state).filter(({ name }) => names.size === 0 || names.has(name));
  await overHosts(specs, { parallel, runtime, progress }, async ({ name }, line) => {
    line.phase('probe');
    const host = hosts.get(name) as ReachableHost;
    const { address, port } = host.record;
    for (const client of unexpired.filter((one) => one.key !== undefined && accepts(host, one))) {
      const { ca, cert, key } = client as Required<StoredClient>;
      const at = { address, port, ca, timeoutMs: 10_000, now, signal };
      const outcome = await probeAs(runtime.probe, 'own-certificate', at, { cert, key });
      const found = foundBy(outcome, name);
      asked.set(`${name} ${client.record.name}`, accessBy(outcome));
      const hints = offeredCommands('diagnosis', shellQuote(name), '--client', shellQuote(client.record.name));
      rows.set(client.record.name, joined(rows.get(client.record.name), found, hints));
    }
    line.done('');
  });
  const all = knownReached(state, names).map((one) => ({ ...one, ...asked.get(`${one.name} ${one.client}`) }));
  return { clients: rows, hosts: all };
};

function accessBy(outcome: ProbeOutcome): Pick<ReachedHost, 'access' | 'reason'> {
  if (outcome.kind === 'accepted') return { access: 'accepted' };
  return { access: outcome.cause === 'client-refused' ? 'rejected' : 'failed', reason: outcome.reason };
}

function foundBy(outcome: ProbeOutcome, host: string): Pick<LiveRow, 'drift' | 'unreachable'> {
  if (outcome.kind === 'accepted') return { drift: [] };
  const { cause, reason, chain } = outcome;
  if (cause === 'client-refused')
    return { drift: [`${host} rejects it: it was revoked, or not applied there yet (${reason})`] };
  return chain === '' ? { unreachable: `${host}: ${reason}` } : { drift: [`${host}: ${cause}: ${reason}`] };
}

function joined(before: LiveRow = {}, found: LiveRow, hints: readonly string[]): LiveRow {
  const unreachable = [before.unreachable, found.unreachable].filter((one) => one !== undefined).join('; ');
  const drift = [...(before.drift ?? []), ...(found.drift ?? [])];
  const bad = found.unreachable !== undefined || (found.drift ?? []).length > 0;
  return given({
    drift,
    unreachable: unreachable || undefined,
    renew: bad && hints.length > 0 ? [...(before.renew ?? []), ...hints] : before.renew,
  });
}
