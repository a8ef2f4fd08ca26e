/** Probes of other stores' hosts as imported clients: only a connection shows a revocation. */

import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { reachedSpecs } from '../domain/fleet/specs.ts';
import { given } from '../domain/given.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { shellQuote } from '../domain/quote.ts';
import type { LiveRow } from '../domain/status-row.ts';
import { accepts, type ReachableHost, reachableHosts } from '../domain/trust/reachable-hosts.ts';
import type { ProbeOutcome } from '../runtime.ts';
import type { Run } from './intent.ts';
import { overHosts } from './pool.ts';
import { probeAs } from './probes.ts';

/** Results by client name. Skips clients without a host or without a key on this machine, and expired clients. */
export async function askReached(
  { parallel, progress, runtime }: Pick<Run, 'parallel' | 'progress' | 'runtime'>,
  state: StoreState,
): Promise<Map<string, LiveRow>> {
  const { signal } = runtime;
  const now = runtime.now();
  const hosts = reachableHosts(state);
  const unexpired = [...state.clients.values()].filter(({ cert }) => inspectCertificate(cert).notAfter > now);
  const rows = new Map<string, LiveRow>();
  await overHosts(reachedSpecs(state), { parallel, runtime, progress }, async ({ name }, line) => {
    line.phase('probe');
    const host = hosts.get(name) as ReachableHost;
    const { address, port } = host.record;
    for (const client of unexpired.filter((one) => one.key !== undefined && accepts(host, one))) {
      const { ca, cert, key } = client as Required<StoredClient>;
      const at = { address, port, ca, timeoutMs: 10_000, now, signal };
      const found = foundBy(await probeAs(runtime.probe, 'own-certificate', at, { cert, key }), name);
      const doctor = `docker-tls doctor ${shellQuote(name)} --client ${shellQuote(client.record.name)}`;
      rows.set(client.record.name, joined(rows.get(client.record.name), found, doctor));
    }
    line.done('');
  });
  return rows;
}

function foundBy(outcome: ProbeOutcome, host: string): Pick<LiveRow, 'drift' | 'unreachable'> {
  if (outcome.kind === 'accepted') return { drift: [] };
  const { cause, reason, chain } = outcome;
  if (cause === 'client-refused')
    return { drift: [`${host} rejects it: it was revoked, or not applied there yet (${reason})`] };
  return chain === '' ? { unreachable: `${host}: ${reason}` } : { drift: [`${host}: ${cause}: ${reason}`] };
}

function joined(before: LiveRow = {}, found: LiveRow, doctor: string): LiveRow {
  const unreachable = [before.unreachable, found.unreachable].filter((one) => one !== undefined).join('; ');
  const drift = [...(before.drift ?? []), ...(found.drift ?? [])];
  const bad = found.unreachable !== undefined || (found.drift ?? []).length > 0;
  return given({
    drift,
    unreachable: unreachable || undefined,
    renew: bad ? [...(before.renew ?? []), doctor] : before.renew,
  });
}
