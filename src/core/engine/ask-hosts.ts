/** Checks of hosts over TLS and SSH: whether they match the store. */

import { asErrors, DockerTlsError, DockerTlsErrors } from '../../errors/errors.ts';
import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import type { HostResult } from '../domain/host-results.ts';
import { hasPort } from '../domain/network-port.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { factsDrift, probeDrift } from '../domain/plan/drift.ts';
import { completeHost, type HostSpec } from '../domain/settings.ts';
import type { LiveRow } from '../domain/status-row.ts';
import { probeClientAt, trustedCas } from '../domain/trust/reachable-hosts.ts';
import { plural } from '../domain/words.ts';
import type { HostProgress, Runtime } from '../runtime.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import type { OpenedHost, Reach, Run } from './intent.ts';
import { upgradeOf } from './loaded-hardening.ts';
import { listenerState } from './loaded-listener.ts';
import { overHosts } from './pool.ts';
import { probeAs } from './probes.ts';
import { problemsOf } from './steps/check-host.ts';
import { openHost } from './steps/open-host.ts';
import { alongWay, type Way } from './through.ts';

type DriftInput = Reach &
  Pick<Run, 'parallel' | 'progress'> & {
    readonly ssh: boolean;
    /** Connection settings of hosts from a fleet file or flags. */
    readonly specs: readonly HostSpec[];
    /** Drift known from the store alone, by host name. */
    readonly known: ReadonlyMap<string, readonly string[]>;
    /** Called for each host once it has answered or failed. */
    readonly onHost?: ((name: string, live: LiveRow) => void) | undefined;
  };

/** Checks every host of the state; one that does not answer has its reason in `unreachable`. */
export async function askHosts(
  { ssh, specs: named, known, onHost, parallel, progress, ...reach }: DriftInput,
  state: StoreState,
): Promise<Map<string, LiveRow>> {
  const { runtime, ask } = reach;
  const { signal } = runtime;
  // Not the host's own trust file: it may list only CAs of single clients.
  const ca = trustedCas(state);
  const ways = new Map(named.map((spec) => [spec.name, { ssh: spec.ssh, reach: spec.reach }]));
  const specs = [...state.hosts.values()].map(({ record }) => completeHost({ ...record, ...ways.get(record.name) }));
  const now = runtime.now();
  const unexpired = [...state.clients.values()].filter(({ cert }) => inspectCertificate(cert).notAfter > now);
  const live = new Map<string, LiveRow>();
  const onResult = (result: HostResult<LiveRow>): void => {
    const row = rowOf(result, known);
    live.set(result.host, row);
    onHost?.(result.host, row);
  };
  await overHosts(specs, { parallel, runtime, progress, onResult }, async (spec, line): Promise<LiveRow> => {
    if (!ssh && !hasPort(spec)) {
      line.done('not asked: without a port, only SSH tells');
      return { drift: known.get(spec.name) };
    }
    const host = state.hosts.get(spec.name) as StoredHost;
    const client = probeClientAt(unexpired, host);
    // Both run in parallel; the results of one count even if the other fails.
    const answers = await Promise.allSettled([
      ...(hasPort(spec)
        ? [alongWay(spec, { runtime, ask }, (way) => askOverTls(way, host, client, ca, { now, signal }))]
        : []),
      ...(ssh ? [askOverSsh(reach, host, spec, line)] : []),
    ]);
    const found = answers.flatMap((answer): LiveRow[] => (answer.status === 'fulfilled' ? [answer.value] : []));
    const drift = [...(known.get(spec.name) ?? []), ...found.flatMap((one) => one.drift ?? [])];
    const upgrade = found.find((one) => one.upgrade !== undefined)?.upgrade;
    const listener = found.find((one) => one.listener !== undefined)?.listener;
    const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
    const errors = failures.flatMap((error) => asErrors(error, signal));
    if (errors.some(({ code, exit }) => code === 'E_BUG' || exit === 130)) throw new DockerTlsErrors(errors);
    if (failures.length > 0 && failures.length === answers.length) throw failures[0];
    const unreachable = sayFailures(errors) || undefined;
    if (unreachable !== undefined) line.failed('unreachable');
    else if (drift.length > 0) line.failed(plural(drift.length, 'difference'));
    else line.done('in sync');
    return { drift, upgrade, unreachable, listener };
  });
  return live;
}

function rowOf(result: HostResult<LiveRow>, known: DriftInput['known']): LiveRow {
  if (result.kind === 'done') return result.value;
  const unreachable = result.kind === 'failed' ? sayFailures(result.errors) : result.reason;
  return { drift: known.get(result.host), unreachable };
}

function sayFailures(errors: readonly DockerTlsError[]): string {
  return errors.map(({ code, message }) => `${code}: ${message}`).join('; ');
}

async function askOverTls(
  { probe }: Way,
  { record: { name, address, port }, serverCert }: StoredHost,
  client: StoredClient | undefined,
  ca: string,
  when: { readonly now: Date; readonly signal: AbortSignal },
): Promise<LiveRow> {
  const at = { address, port, ca, timeoutMs: 10_000, ...when };
  const credentials = client?.key && { cert: client.cert, key: client.key };
  const how = credentials === undefined ? 'no-certificate' : 'own-certificate';
  const outcome = await probeAs(probe, how, at, credentials);
  if (outcome.kind === 'accepted' || outcome.chain !== '') {
    return { drift: probeDrift(outcome, serverCert, client !== undefined) };
  }
  const hints = offeredCommands('diagnosis', name);
  throw new DockerTlsError('E_TLS', `${address}:${port}: ${outcome.reason}`, { where: name, hints });
}

async function askOverSsh(reach: Reach, host: StoredHost, spec: HostSpec, line: HostProgress): Promise<LiveRow> {
  const opened = await openHost(spec, reach, line);
  try {
    return await driftOnHost(opened, host, spec, reach.runtime);
  } finally {
    await opened.session.close();
  }
}

/** Reads drift and upgrades of a connected host. */
async function driftOnHost(
  opened: OpenedHost,
  host: StoredHost,
  spec: HostSpec,
  { now, signal }: Pick<Runtime, 'now' | 'signal'>,
): Promise<LiveRow> {
  const upgrade = await upgradeOf(opened.session, signal);
  const listener = await listenerState({ ...opened, spec }, { signal });
  const drift = factsDrift(opened.facts, host, problemsOf(opened, spec, now()));
  const down = listener?.problems.map(({ message }) => message) ?? [];
  return { drift: [...drift, ...down], upgrade, listener: listener?.title };
}
