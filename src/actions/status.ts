/** Owns the table of everything that can expire, and whether hosts really serve what the store says. */

import { newCredentials } from '../adapters/docker/diagnosis.ts';
import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import { bestUpgrade, type Upgrade } from '../domain/audit/vulnerabilities.ts';
import { SOCKET_UNIT } from '../domain/dockerd/paths.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { renewal } from '../domain/pki/renewal.ts';
import { installedCredentials } from '../domain/plan/facts.ts';
import { WITHOUT_FILE } from '../domain/plan/file-change.ts';
import { preflight } from '../domain/plan/preflight.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost, type HostSpec } from '../domain/settings.ts';
import { externalKey } from '../domain/trust/client-refusals.ts';
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

export type StatusRow = {
  readonly kind: 'ca' | 'old ca' | 'host' | 'client';
  readonly name: string;
  readonly issuer: string;
  readonly notBefore: Date;
  readonly notAfter: Date;
  readonly daysLeft: number;
  readonly state: 'ok' | 'due' | 'expired' | 'not-yet-valid' | 'revoked';
  readonly dueAt: Date;
  /** Of an old CA: there may be several of one name. */
  readonly serial?: string;
  /** Of a client: the commands that give it new credentials, and whether `rotate client` is the one. */
  readonly renew?: readonly string[];
  readonly renewable?: boolean;
  readonly address?: string;
  readonly description?: string | undefined;
  readonly generation?: number;
  /** How the host differs from the store; empty: it does not; undefined: not asked. */
  readonly drift?: readonly string[];
  /** The package whose upgrade closes most known vulnerabilities. No reason for attention: `audit --fail-on` is. */
  readonly upgrade?: Upgrade;
  /** Why the host could not be asked, or not by one of the two ways. */
  readonly unreachable?: string;
};

export type StatusOptions = {
  readonly withinDays?: number;
  /** Ask hosts over TLS, and over SSH. */
  readonly tls: boolean;
  readonly ssh: boolean;
  readonly parallel?: number;
  readonly sudoPassword?: Secret;
  /** Of single hosts, by name. */
  readonly sudoPasswords?: ReadonlyMap<string, Secret>;
  readonly ask?: SshOptions['ask'];
};

/** Every CA, host and client. The offline part needs nothing but the store. */
export async function status(
  runtime: Runtime,
  state: StoreState,
  options: StatusOptions,
  progress: Progress,
): Promise<StatusRow[]> {
  const now = runtime.now();
  const row = (kind: StatusRow['kind'], name: string, cert: string): StatusRow => {
    const info = inspectCertificate(cert);
    const life = renewal({
      notBefore: info.notBefore,
      notAfter: info.notAfter,
      now,
      withinDays: options.withinDays,
    });
    return {
      kind,
      name,
      issuer: info.selfIssued ? 'itself' : info.issuer,
      notBefore: info.notBefore,
      notAfter: info.notAfter,
      daysLeft: life.daysLeft,
      state: life.state,
      dueAt: life.dueAt,
    };
  };
  const hosts = [...state.hosts.values()];
  const requested =
    options.tls || options.ssh ? await askHosts(runtime, state, hosts, options, progress) : new Map<string, LiveRow>();
  return [
    ...(state.ca ? [row('ca', state.ca.record.name, state.ca.cert)] : []),
    ...state.oldCas.map((old) => ({
      ...row('old ca', old.record?.name ?? old.serial, old.cert),
      serial: old.serial,
    })),
    ...hosts.map((host) => ({
      ...row('host', host.record.name, host.serverCert),
      address: `${host.record.address}:${host.record.port}`,
      generation: host.record.generation,
      description: host.record.description,
      ...requested.get(host.record.name),
    })),
    ...[...state.clients.values()].map((client) => ({
      ...row('client', client.record.name, client.cert),
      ...(client.record.revokedAt === undefined ? renewalOf(client) : { state: 'revoked' as const }),
    })),
  ];
}

function renewalOf({ record: { name, reaches, ownKey }, key }: StoredClient): Pick<StatusRow, 'renew' | 'renewable'> {
  if (reaches !== undefined)
    return { renew: newCredentials({ client: name, external: true, ownKey }), renewable: false };
  if (key === undefined) return { renew: externalKey(name).hints, renewable: false };
  return { renew: [`docker-tls rotate client ${name}`], renewable: true };
}

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
