/** Owns `status`: everything that can expire, and whether hosts really serve what the store says. */

import { resolve } from 'node:path';
import { newCredentials } from '../adapters/docker/diagnosis.ts';
import type { StoredClient, StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { renewal } from '../domain/pki/renewal.ts';
import { renderPrometheus } from '../domain/prometheus.ts';
import type { StatusRow } from '../domain/status.ts';
import { externalKey } from '../domain/trust/client-refusals.ts';

<<<<<<< HEAD

import { certificateDrift } from '../domain/trust/unapplied.ts';
import { plural } from '../domain/words.ts';
import { gatherAuditFacts } from '../engine/gather.ts';
import { overHosts } from '../engine/pool.ts';
import { probeAs } from '../engine/probes.ts';
import { probeClientAt, trustedCas } from '../engine/reachable-hosts.ts';
import { openHost } from '../engine/steps/connect.ts';
import { alongWay } from '../engine/through.ts';
import { asErrors, DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import type { HostSession, Probe, Progress, Runtime, SshOptions } from '../runtime.ts';

=======

import { type Rotation, rotationOf } from '../domain/trust/rotation.ts';
import type { ActionContext } from './action-context.ts';
import { askHosts, type LiveRow } from './drift.ts';
import { checkOut, writeOut } from './files.ts';
import { type RunOptions, sudoPasswords } from './run.ts';
import { type SelectionOptions, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

>>>>>>> main

export type StatusOptions = SelectionOptions &
  RunOptions & {
    readonly offline: boolean;
    readonly noSsh: boolean;
    /** Milliseconds. */
    readonly within?: number | undefined;
    readonly prometheus?: string | undefined;
  };

export type Status = {
  readonly rows: readonly StatusRow[];
  readonly rotation: Rotation | undefined;
  /** Hosts that were named and are not in the store. */
  readonly missing: readonly string[];
};

export async function status(
  context: ActionContext,
  hosts: readonly string[],
  options: StatusOptions,
): Promise<Status> {
  const { global, runtime } = context;
  const { prometheus, within, offline } = options;
  const metrics =
    prometheus === undefined ? undefined : { runtime, global, out: resolve(runtime.cwd, prometheus), replace: true };
  if (metrics !== undefined) checkOut(metrics, false);
  const stored = await storeOf(context).read();
  const chosen =
    hosts.length > 0 ||
    global.file !== undefined ||
    [options.inventory, options.shard].some(Boolean) ||
    options.limit.length > 0;
  const selection = chosen ? await selectSpecs(context, hosts, options, stored, undefined) : { specs: [], secrets: {} };
  const names = new Set(selection.specs.map(({ name }) => name));
  const state = chosen ? { ...stored, hosts: new Map([...stored.hosts].filter(([name]) => names.has(name))) } : stored;
  const ssh = !offline && !options.noSsh;
  const passwords = ssh ? await sudoPasswords(options, selection, context) : {};
  const live = offline ? new Map() : await askHosts(context, state, { ssh, ...passwords });
  const rows = rowsOf(state, live, { now: runtime.now(), withinDays: within && within / 86_400_000 });
  // node_exporter reads the file at any moment: it has to appear whole.
  if (metrics !== undefined) await writeOut({ ...metrics, data: renderPrometheus(rows, runtime.now()) });
  const missing = [...names].filter((name) => !stored.hosts.has(name));
  return { rows, rotation: rotationOf(stored, runtime.now()), missing };
}

type Due = { readonly now: Date; readonly withinDays: number | undefined };

function rowsOf(state: StoreState, live: ReadonlyMap<string, LiveRow>, due: Due): StatusRow[] {
  const row = (kind: StatusRow['kind'], name: string, cert: string) => rowOf(kind, name, cert, due);
  return [
    ...(state.ca ? [row('ca', state.ca.record.name, state.ca.cert)] : []),
    ...state.oldCas.map((old) => ({
      ...row('old ca', old.record?.name ?? old.serial, old.cert),
      serial: old.serial,
    })),
    ...[...state.hosts.values()].map((host) => ({
      ...row('host', host.record.name, host.serverCert),
      address: `${host.record.address}:${host.record.port}`,
      generation: host.record.generation,
      description: host.record.description,
      ...live.get(host.record.name),
    })),
    ...[...state.clients.values()].map((client) => ({
      ...row('client', client.record.name, client.cert),
      ...(client.record.revokedAt === undefined ? renewalOf(client) : { state: 'revoked' as const }),
    })),
  ];
}

function rowOf(kind: StatusRow['kind'], name: string, cert: string, due: Due): StatusRow {
  const { issuer, selfIssued, notBefore, notAfter } = inspectCertificate(cert);
  const { daysLeft, state, dueAt } = renewal({ notBefore, notAfter, ...due });
  return { kind, name, issuer: selfIssued ? 'itself' : issuer, notBefore, notAfter, daysLeft, state, dueAt };
}

function renewalOf({ record: { name, reaches, ownKey }, key }: StoredClient): Pick<StatusRow, 'renew' | 'renewable'> {
  if (reaches !== undefined)
    return { renew: newCredentials({ client: name, external: true, ownKey }), renewable: false };
  if (key === undefined) return { renew: externalKey(name).hints, renewable: false };
  return { renew: [`docker-tls rotate client ${name}`], renewable: true };
}
<<<<<<< HEAD

/** What `status --check` minds: something is due or expired, or a host differs or does not answer. */
export function needsAttention(row: StatusRow): boolean {
  return (
    (row.state !== 'ok' && row.state !== 'revoked') ||
    (row.drift !== undefined && row.drift.length > 0) ||
    row.unreachable !== undefined
  );
}

/** What asking a host gave: `unreachable` beside `drift` says that one of the two ways answered. */
type LiveRow = Pick<StatusRow, 'drift' | 'unreachable' | 'upgrade'>;

async function askHosts(
  runtime: Runtime,
  state: StoreState,
  hosts: readonly StoredHost[],
  options: StatusOptions,
  progress: Progress,
): Promise<Map<string, LiveRow>> {
  const specs = hosts.map((host) => completeHost(host.record));
  const now = runtime.now();
  const unexpired = [...state.clients.values()].filter(({ cert }) => inspectCertificate(cert).notAfter > now);
  const results = await overHosts(
    specs,
    { parallel: options.parallel, signal: runtime.signal },
    progress,
    runtime.now,
    async (spec, line): Promise<LiveRow> => {
      const host = state.hosts.get(spec.name) as StoredHost;
      // Both at once, and what one of them found is worth having also when the other fails.
      const answers = await Promise.allSettled([
        ...(options.tls
          ? [
              alongWay(spec, { runtime, ...(options.ask ? { ask: options.ask } : {}) }, ({ probe }) =>
                askOverTls(probe, now, state, host, unexpired),
              ),
            ]
          : []),
        ...(options.ssh ? [askOverSsh(runtime, host, spec, options, line)] : []),
      ]);
      const live = answers.flatMap((answer) => (answer.status === 'fulfilled' ? [answer.value] : []));
      const drift = live.flatMap((one) => one.drift ?? []);
      const upgrade = live.find((one) => one.upgrade !== undefined)?.upgrade;
      const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      const told = failures.flatMap((error) => asErrors(error, runtime.signal));
      if (told.some(({ code, exit }) => code === 'E_BUG' || exit === 130)) throw new DockerTlsErrors(told);
      if (failures.length > 0 && failures.length === answers.length) throw failures[0];
      const unreachable = told.map(sayFailure).join('; ');
      if (unreachable !== '') line.failed('unreachable');
      else if (drift.length > 0) line.failed(plural(drift.length, 'difference'));
      else line.done('in sync');
      return { drift, upgrade, unreachable: unreachable === '' ? undefined : unreachable };
    },
  );
  return new Map(
    results.map((result) => [
      result.host,
      result.kind === 'done'
        ? result.value
        : { unreachable: result.kind === 'failed' ? result.errors.map(sayFailure).join('; ') : result.reason },
    ]),
  );
}

function sayFailure({ code, message }: DockerTlsError): string {
  return `${code}: ${message}`;
}

async function askOverTls(
  probe: Probe,
  now: Date,
  state: StoreState,
  host: StoredHost,
  unexpired: readonly StoredClient[],
): Promise<LiveRow> {
  const { address, port } = host.record;
  const client = probeClientAt(unexpired, host);
  // Not the host's own trust file: that may name single clients' CAs alone.
  const at = { address, port, ca: trustedCas(state), timeoutMs: 10_000, now };
  const credentials = client?.key && { cert: client.cert, key: client.key };
  const outcome = await probeAs(
    probe,
    credentials === undefined ? 'no-certificate' : 'own-certificate',
    at,
    credentials,
  );
  if (outcome.kind === 'refused' && outcome.chain === '') {
    throw new DockerTlsError({
      code: 'E_TLS',
      where: host.record.name,
      message: `${address}:${port}: ${outcome.reason}`,
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

async function askOverSsh(
  runtime: Runtime,
  host: StoredHost,
  spec: HostSpec,
  options: StatusOptions,
  line: ReturnType<Progress['host']>,
): Promise<LiveRow> {
  const opened = await openHost(
    spec,
    {
      runtime,
      sudoPassword: options.sudoPassword,
      sudoPasswords: options.sudoPasswords,
      ask: options.ask,
    },
    line,
  );
  try {
    const { facts } = opened;
    const upgrade = await upgradeOf(opened.session, runtime.signal);
    const found = upgrade === undefined ? {} : { upgrade };
    if (facts.state === undefined)
      return { drift: ['docker-tls has not changed this host, or it was restored'], ...found };
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
    if (
      facts.files.get(`/etc/systemd/system/${SOCKET_UNIT}`)?.kind === 'file' &&
      facts.docker.tlsSocket.active !== 'active'
    )
      drift.push(`${SOCKET_UNIT} does not listen`);
    if (facts.transaction !== undefined) drift.push('a change is under way');
    // What plan and apply would refuse, such as a daemon.json with which dockerd does not start again.
    const { login } = opened.session;
    const nowMs = runtime.now().getTime();
    const problems = preflight({ ...opened, host: spec.name, login, port: spec.port, nowMs });
    return { drift: [...drift, ...problems.map(({ message }) => message)], ...found };
  } finally {
    await opened.session.close();
  }
}
=======
>>>>>>> main
