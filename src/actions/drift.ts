/** Owns the look at hosts, over TLS and SSH: whether they serve what the store says. */

import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import { bestUpgrade, type Upgrade } from '../domain/audit/vulnerabilities.ts';
import type { HostResult } from '../domain/host-results.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { WITHOUT_FILE } from '../domain/plan/file-change.ts';
import { kindOf } from '../domain/plan/host-kind.ts';
import { completeHost, type HostSpec } from '../domain/settings.ts';
import type { LiveRow } from '../domain/status.ts';
import { probeClientAt, trustedCas } from '../domain/trust/reachable-hosts.ts';
import { certificateDrift } from '../domain/trust/server.ts';
import { plural } from '../domain/words.ts';
import { gatherAuditFacts } from '../engine/gather-audit.ts';
import type { Reach } from '../engine/intent.ts';
import { overHosts } from '../engine/pool.ts';
import { probeAs } from '../engine/probes.ts';
import { openHost } from '../engine/steps/connect.ts';
import { problemsOf } from '../engine/steps/preflight.ts';
import { alongWay } from '../engine/through.ts';
import { asErrors, DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import type { HostProgress, HostSession, Probe } from '../runtime.ts';
import type { ActionContext } from './action-context.ts';

export type AskOptions = Pick<Reach, 'sudoPassword' | 'sudoPasswords'> & {
  readonly ssh: boolean;
  /** How hosts are reached, where a fleet file or flags say it. */
  readonly specs: readonly HostSpec[];
  /** What the store alone says of hosts: by their names. */
  readonly known: ReadonlyMap<string, readonly string[]>;
  /** Called for each host when it has answered, or does not. */
  readonly onHost?: ((name: string, live: LiveRow) => void) | undefined;
};

/** Every host of the state; one that does not answer says why. */
export async function askHosts(
  { global, runtime, progress, prompts }: ActionContext,
  state: StoreState,
  { ssh, specs: named, known, onHost, ...passwords }: AskOptions,
): Promise<Map<string, LiveRow>> {
  const reach = { runtime, ask: prompts.ssh, ...passwords };
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
  await overHosts(
    specs,
    { parallel: global.parallel, runtime, progress, onResult },
    async (spec, line): Promise<LiveRow> => {
      const host = state.hosts.get(spec.name) as StoredHost;
      // Both at once, and what one of them found is worth having also when the other fails.
      const answers = await Promise.allSettled([
        alongWay(spec, { runtime, ask: prompts.ssh }, ({ probe }) =>
          askOverTls({ probe, now, signal: runtime.signal }, state, host, unexpired),
        ),
        ...(ssh ? [askOverSsh(reach, host, spec, line)] : []),
      ]);
      const live = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      const drift = [...(known.get(spec.name) ?? []), ...live.flatMap((one) => one.drift ?? [])];
      const upgrade = live.find((one) => one.upgrade !== undefined)?.upgrade;
      const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      const errors = failures.flatMap((error) => asErrors(error, runtime.signal));
      if (errors.some(({ code, exit }) => code === 'E_BUG' || exit === 130)) throw new DockerTlsErrors(errors);
      if (failures.length > 0 && failures.length === answers.length) throw failures[0];
      const unreachable = errors.map(sayFailure).join('; ');
      if (unreachable !== '') line.failed('unreachable');
      else if (drift.length > 0) line.failed(plural(drift.length, 'difference'));
      else line.done('in sync');
      return { drift, upgrade, unreachable: unreachable === '' ? undefined : unreachable };
    },
  );
  return live;
}

function rowOf(result: HostResult<LiveRow>, known: AskOptions['known']): LiveRow {
  if (result.kind === 'done') return result.value;
  const unreachable = result.kind === 'failed' ? result.errors.map(sayFailure).join('; ') : result.reason;
  return { drift: known.get(result.host), unreachable };
}

function sayFailure({ code, message }: DockerTlsError): string {
  return `${code}: ${message}`;
}

async function askOverTls(
  { probe, now, signal }: { readonly probe: Probe; readonly now: Date; readonly signal: AbortSignal },
  state: StoreState,
  host: StoredHost,
  unexpired: readonly StoredClient[],
): Promise<LiveRow> {
  const { address, port } = host.record;
  const client = probeClientAt(unexpired, host);
  // Not the host's own trust file: that may name single clients' CAs alone.
  const at = { address, port, ca: trustedCas(state), timeoutMs: 10_000, now, signal };
  const credentials = client?.key && { cert: client.cert, key: client.key };
  const outcome = await probeAs(
    probe,
    credentials === undefined ? 'no-certificate' : 'own-certificate',
    at,
    credentials,
  );
  if (outcome.kind === 'refused' && outcome.chain === '') {
    throw new DockerTlsError('E_TLS', `${address}:${port}: ${outcome.reason}`, {
      where: host.record.name,
      hints: [`docker-tls doctor ${host.record.name}`],
    });
  }
  const drift: string[] = [];
  const served = certificateDrift(outcome.chain, host.serverCert, 'serves');
  if (served !== undefined) drift.push(served);
  if (outcome.kind === 'accepted' && client === undefined) drift.push('accepts clients without a certificate');
  // Where no client of this computer is accepted, being rejected is right.
  if (outcome.kind === 'refused' && !(client === undefined && outcome.cause === 'client-refused'))
    drift.push(`${outcome.cause}: ${outcome.reason}`);
  return { drift };
}

/** Undefined where nothing is open, and where the host does not tell: status is about other things. */
async function upgradeOf(session: HostSession, signal: AbortSignal): Promise<Upgrade | undefined> {
  try {
    return bestUpgrade(await gatherAuditFacts(session, signal, 'software'));
  } catch (error) {
    if (error instanceof DockerTlsError && error.code === 'E_AUDIT_FACTS') return undefined;
    throw error;
  }
}

async function askOverSsh(reach: Reach, host: StoredHost, spec: HostSpec, line: HostProgress): Promise<LiveRow> {
  const { runtime } = reach;
  const opened = await openHost(spec, reach, line);
  try {
    const { facts } = opened;
    const upgrade = await upgradeOf(opened.session, runtime.signal);
    const found = upgrade === undefined ? {} : { upgrade };
    if (facts.state === undefined)
      return { drift: ['docker-tls has not changed this host, or it was restored'], ...found };
    // What plan and apply would refuse, such as a daemon.json with which dockerd does not start again.
    const problems = problemsOf(opened, spec, runtime.now());
    // Meanwhile nothing else says how the host will be.
    const lock = problems.find(({ code }) => code === 'E_HOST_LOCKED')?.message;
    if (lock !== undefined || facts.transaction !== undefined)
      return { drift: [lock ?? 'a change is under way'], ...found };
    const drift: string[] = [];
    const credentials = installedCredentials(facts);
    const installed = certificateDrift(credentials?.cert ?? '', host.serverCert, 'has');
    if (installed !== undefined) drift.push(installed);
    if (credentials?.ca !== host.ca) drift.push('the trust file on the host is not the one in the store');
    if (host.record.generation !== undefined && facts.state.generation !== host.record.generation)
      drift.push(`generation ${facts.state.generation} is active, the store knows ${host.record.generation}`);
    const ours = facts.generations.get(facts.state.generation);
    for (const [path, entry] of ours ?? []) {
      const now = facts.files.get(path);
      if (now === undefined || WITHOUT_FILE.includes(entry.kind)) continue;
      const same =
        (entry.kind === 'absent' && now.kind === 'absent') ||
        (entry.kind === 'link' && now.kind === 'link' && now.to === entry.to) ||
        (entry.kind === 'file' && now.kind === 'file' && now.content === entry.content);
      if (!same) drift.push(`${path} was edited by hand`);
    }
    const { socket } = facts.places;
    if (facts.files.get(socket)?.kind === 'file' && facts.docker.tlsSocket.active !== 'active')
      drift.push(`${kindOf(facts).sockets.tls} does not listen`);
    return { drift: [...drift, ...problems.map(({ message }) => message)], ...found };
  } finally {
    await opened.session.close();
  }
}
