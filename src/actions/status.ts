/** Owns the table of everything that can expire, and whether hosts really serve what the store says. */

import { newCredentials } from '../adapters/docker/diagnosis.ts';
import type { StoredClient, StoredHost, StoreState } from '../adapters/store/records.ts';
import { inspectCertificate } from '../domain/pki/inspect.ts';
import { renewal } from '../domain/pki/renewal.ts';
import type { Secret } from '../domain/secret.ts';
import { completeHost } from '../domain/settings.ts';
import { externalKey } from '../domain/trust/client-refusals.ts';
import { plural } from '../domain/words.ts';
import { overHosts } from '../engine/pool.ts';
import { alongWay } from '../engine/through.ts';
import { asErrors, type DockerTlsError, DockerTlsErrors } from '../errors/errors.ts';
import type { Progress, Runtime, SshOptions } from '../runtime.ts';
import { askOverSsh, askOverTls } from './drift.ts';

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
type LiveRow = Pick<StatusRow, 'drift' | 'unreachable'>;

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
              alongWay(spec, { runtime, ask: options.ask }, ({ probe }) =>
                askOverTls(probe, runtime.now(), state, host, unexpired),
              ),
            ]
          : []),
        ...(options.ssh ? [askOverSsh(host, spec, { ...options, runtime }, line)] : []),
      ]);
      const drift = answers.flatMap((answer) => (answer.status === 'fulfilled' ? answer.value : []));
      const failures = answers.flatMap((answer) => (answer.status === 'rejected' ? [answer.reason] : []));
      const told = failures.flatMap((error) => asErrors(error, runtime.signal));
      if (told.some(({ code, exit }) => code === 'E_BUG' || exit === 130)) throw new DockerTlsErrors(told);
      if (failures.length > 0 && failures.length === answers.length) throw failures[0];
      const unreachable = told.map(sayFailure).join('; ');
      if (unreachable !== '') line.failed('unreachable');
      else if (drift.length > 0) line.failed(plural(drift.length, 'difference'));
      else line.done('in sync');
      return { drift, unreachable: unreachable === '' ? undefined : unreachable };
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
