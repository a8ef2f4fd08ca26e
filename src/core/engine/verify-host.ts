/** Verification that a host accepts its clients and rejects all others: real, parallel connections from this machine. */

import { DockerTlsError } from '../../errors/errors.ts';
import { dockerHost } from '../domain/destination.ts';
import { LISTENER_SERVICE } from '../domain/dockerd/paths.ts';
import { splitBundle } from '../domain/pki/inspect.ts';
import type { ProbeCheck } from '../domain/plan/outcome.ts';
import { shellQuote } from '../domain/quote.ts';
import type { Probe, ProbeCredentials, ProbeOutcome } from '../runtime.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import { orIn } from '../seams/setting-places.ts';
import { PROBES, type ProbeName, probeAs } from './probes.ts';

/** A client whose role is limited. */
type LimitedClient = { readonly name: string; readonly role: string; readonly path: string } & ProbeCredentials;

export type VerifyRequest = {
  readonly address: string;
  readonly port: number;
  /** CAs that the client trusts, PEM. */
  readonly ca: string;
  /**
   * The client that must be accepted. Absent if this machine has no key of an accepted client: then only the served certificate and
   * rejections are verified.
   */
  readonly client?: { readonly name: string } & ProbeCredentials;
  /** Further clients that must be accepted. */
  readonly others?: readonly ({ readonly name: string } & ProbeCredentials)[];
  /** The server's own credentials: the daemon must not accept them from a client. Absent if their key is not on this machine. */
  readonly server?: ProbeCredentials;
  /** The certificate that must be served (PEM). Absent: any that verifies. */
  readonly serverCert?: string;
  /** Expired clients that must be refused. */
  readonly expired?: readonly ({ readonly name: string } & ProbeCredentials)[];
  /** Revoked clients that must be refused. */
  readonly revoked?: readonly ({ readonly name: string } & ProbeCredentials)[];
  /** Clients with a role, each with a path that this role must not GET. */
  readonly limited?: readonly LimitedClient[];
  /** The daemon must not listen on TCP itself, because another service accepts clients in front of it. */
  readonly behind?: boolean;
  readonly now: Date;
  readonly timeoutMs?: number;
  readonly signal?: AbortSignal;
};

export type VerifiedAt = Pick<VerifyRequest, 'address' | 'port'>;

/** Makes every connection of the matrix (probes.ts) that has credentials, in parallel. */
export async function verifyHost(probe: Probe, request: VerifyRequest): Promise<ProbeCheck[]> {
  const { client, others = [], server, expired = [], revoked = [], limited = [], serverCert } = request;
  const at = { ...request, timeoutMs: request.timeoutMs ?? 10_000 };
  type Named = Partial<LimitedClient> & ProbeCredentials;
  const tried = [client, ...others].map((one) => one?.name);
  const as = (name: ProbeName, all: readonly (Named | undefined)[]) => all.map((one) => [name, one] as const);
  const rows: readonly (readonly [ProbeName, Named | undefined])[] = [
    ...as('own-certificate', client === undefined ? [] : [client]),
    ...as('no-certificate', [undefined]),
    ...as('own-certificate', others),
    ...as(
      'own-certificate',
      limited.filter(({ name }) => !tried.includes(name)),
    ),
    ...as('outside-role', limited),
    ...as('no-certificate-1.2', [undefined]),
    ...as('other-authority', [undefined]),
    ...as('server-certificate', server === undefined ? [] : [server]),
    ...as('plain', [undefined]),
    ...as('old-protocol', [client]),
    ...as('expired-certificate', expired),
    ...as('revoked-certificate', revoked),
    ...as('daemon-port', request.behind && request.port !== PROBES['daemon-port'].how.port ? [undefined] : []),
  ];
  return await Promise.all(
    rows.map(async ([row, credentials]) => {
      const shown = credentials && { cert: credentials.cert, key: credentials.key };
      const path = row === 'outside-role' ? credentials?.path : undefined;
      const outcome = await probeAs(probe, row, { ...at, path }, shown);
      const name = row === 'old-protocol' ? undefined : credentials?.name;
      const who = name === undefined ? PROBES[row].who : `${PROBES[row].who} ${name}`;
      if (row === 'outside-role') return refusedByRole(who, credentials?.role ?? '', path ?? '', outcome);
      if (row === 'daemon-port') return closed(who, outcome);
      if (PROBES[row].expected === 'accepted') return accepted(who, outcome, serverCert);
      if (row === 'no-certificate' && client === undefined) return refusedBy(who, outcome, serverCert);
      return { ...refused(who, outcome), revoked: row === 'revoked-certificate' ? name : undefined };
    }),
  );
}

/** Of a host without a port: neither dockerd's plain port nor the TLS port answers. */
export async function verifyNoPort(
  probe: Probe,
  at: Pick<VerifyRequest, 'address' | 'port' | 'now' | 'signal'>,
): Promise<ProbeCheck[]> {
  const ask = (row: ProbeName) => probeAs(probe, row, { ...at, timeoutMs: 3000 });
  const [plain, own] = await Promise.all([ask('daemon-port'), ask('closed-port')]);
  return [closed(PROBES['daemon-port'].who, plain), silent(`${PROBES['closed-port'].who}, port ${at.port}`, own)];
}

/**
 * Fails with E_VERIFY (exit 7) unless every check passed. `first`: address of a host that the store does not know yet, so that no
 * diagnosis can be suggested.
 */
export function requireVerified(...given: Parameters<typeof verificationFailure>): void {
  const failure = verificationFailure(...given);
  if (failure !== undefined) throw failure;
}

/** The same error as a value; undefined if all checks passed. */
export function verificationFailure(
  host: string,
  checks: readonly ProbeCheck[],
  /** Final state of the host; empty if the rollback adds it. */
  ending: string,
  first?: VerifiedAt,
  diagnosis: readonly string[] = offeredCommands('diagnosis', host),
): DockerTlsError | undefined {
  const bad = checks.filter((check) => !check.ok);
  if (bad.length === 0) return undefined;
  const end = ending === '' ? '' : `; ${ending}`;
  const silent = silenceOf(checks);
  const client = bad.find((check) => check.expected === 'accepted');
  const worst = client ?? bad[0];
  const other = bad.every((check) => check.otherCertificate);
  return new DockerTlsError(
    'E_VERIFY',
    other
      ? `${OTHER_CERTIFICATE}${end}`
      : silent !== undefined
        ? `${silent}${end}`
        : client
          ? `${client.who} was rejected (${client.outcome})${end}`
          : `verification failed: ${furtherWords(bad)}${end}`,
    {
      where: host,
      hints:
        first === undefined
          ? other
            ? [`after a run that was killed before the host confirmed it: docker-tls apply ${host}`]
            : diagnosis
          : worst?.onHost
            ? [
                `see on the host what the listener logged: journalctl ${worst.onHost === 'user' ? '--user ' : ''}-u ${LISTENER_SERVICE} -n 20`,
              ]
            : hintsFor(first, worst?.cause),
      details:
        silent !== undefined
          ? []
          : bad
              // The message has that one.
              .filter((check) => other || check !== client)
              .map(
                (check) =>
                  `${check.who}: expected ${check.expected === 'refused' ? 'rejected' : check.expected}, ${check.outcome}`,
              ),
    },
  );
}

/** What should have been rejected. A request outside of a role may have had no answer at all. */
function furtherWords(bad: readonly ProbeCheck[]): string {
  const named = (words: string, some: readonly ProbeCheck[]) =>
    some.length === 0 ? [] : [`${words} ${some.map(({ who }) => who).join(', ')}`];
  return [
    ...named(
      'accepted',
      bad.filter(({ request }) => request === undefined),
    ),
    ...named(
      'not rejected by its role:',
      bad.filter(({ request }) => request !== undefined),
    ),
  ].join('; ');
}

/** Hints by cause, for a fault on the route to the daemon rather than in the daemon. */
export function hintsFor({ address, port }: VerifiedAt, cause: ProbeCheck['cause']): string[] {
  const otherAddress = 'if clients reach the host by another name or address: --address NAME';
  const otherPort = `or choose an open port: --port N${orIn('port: N')}`;
  const again = 'then run the same command again';
  const tunnel = offeredCommands('tunnel', 'HOST').map((command) => `, and clients use a tunnel: ${command}`);
  switch (cause) {
    case 'timed-out':
    case 'connection-refused':
    case 'unreachable':
      return [
        `where only SSH reaches the host (a bastion): --reach ssh verifies through it${tunnel.join('')}`,
        `clients dial TCP port ${port} of ${address} itself, not through ssh's jump hosts: let it through every firewall on the way, a cloud's security groups included; ${again}`,
        otherPort,
        otherAddress,
      ];
    case 'name-not-found':
      return [`getent hosts ${shellQuote(address)}`, otherAddress];
    case 'wrong-name':
      return [`put the name into the certificate: --san ${shellQuote(address)}`, otherAddress];
    default:
      return [
        `see who answers there: openssl s_client -connect ${dockerHost(address, port).slice(6)} </dev/null`,
        otherPort,
        otherAddress,
      ];
  }
}

/** After a run that died between the host and the store, or a manual rollback. */
const OTHER_CERTIFICATE = 'the host serves another certificate than the one on record';

function accepted(who: string, outcome: ProbeOutcome, serverCert: string | undefined): ProbeCheck {
  const check = { who, expected: 'accepted', ok: false, elapsedMs: outcome.elapsedMs } as const;
  if (outcome.kind === 'refused')
    return { ...check, outcome: `${outcome.cause}: ${outcome.reason}`, cause: outcome.cause };
  if (outcome.status !== 200) return { ...check, outcome: `the daemon answered with status ${outcome.status}` };
  if (serverCert !== undefined && !sameLeaf(serverCert, outcome.chain))
    return { ...check, outcome: `accepted, but ${OTHER_CERTIFICATE}`, otherCertificate: true };
  return { ...check, ok: true, outcome: `accepted (${outcome.protocol})` };
}

/** For a host that accepts no client of this store: it must serve the right certificate and request one from the client. */
function refusedBy(who: string, outcome: ProbeOutcome, serverCert: string | undefined): ProbeCheck {
  const check = refused(who, outcome);
  if (!check.ok || outcome.kind === 'accepted') return check;
  if (outcome.cause !== 'client-refused')
    return { ...check, ok: false, outcome: `${outcome.cause}: ${outcome.reason}` };
  if (serverCert === undefined || sameLeaf(serverCert, outcome.chain)) return check;
  return { ...check, ok: false, outcome: OTHER_CERTIFICATE, otherCertificate: true };
}

/** A port that does not answer refuses no client, so it verifies nothing. */
const SILENT: readonly ProbeCheck['cause'][] = ['connection-refused', 'timed-out', 'unreachable', 'name-not-found'];

/** In words, if no check reached the port: such a host was neither accepting nor rejecting. Undefined otherwise. */
export function silenceOf(checks: readonly ProbeCheck[]): string | undefined {
  const tried = checks.filter(({ cause }) => cause !== 'not-spoken-here');
  if (tried.length === 0 || tried.some(({ cause }) => !SILENT.includes(cause))) return undefined;
  return `no answer from here (${[...new Set(tried.map(({ cause }) => cause))].join(', ')})`;
}

function refused(who: string, outcome: ProbeOutcome): ProbeCheck {
  const check = { who, expected: 'refused', elapsedMs: outcome.elapsedMs } as const;
  if (outcome.kind === 'accepted') return { ...check, ok: false, outcome: `accepted with status ${outcome.status}` };
  const { cause } = outcome;
  if (SILENT.includes(cause)) return { ...check, ok: false, outcome: `no answer (${cause})`, cause };
  if (cause === 'not-spoken-here') return { ...check, ok: true, outcome: `not tried: ${outcome.reason}`, cause };
  return { ...check, ok: true, outcome: 'rejected', cause };
}

/** How the listener begins its answer to a request that the client's role does not allow; an authorization plugin answers 403 as well. */
const BY_ROLE = '{"message":"docker-tls: client ';

function refusedByRole(who: string, role: string, path: string, outcome: ProbeOutcome): ProbeCheck {
  const request = `GET ${path}`;
  const check = {
    who: `${who} (${role}), ${request}`,
    expected: 'refused',
    request,
    elapsedMs: outcome.elapsedMs,
  } as const;
  if (outcome.kind === 'refused')
    return { ...check, ok: false, outcome: `${outcome.cause}: ${outcome.reason}`, cause: outcome.cause };
  if (outcome.status === 403 && outcome.body.startsWith(BY_ROLE))
    return { ...check, ok: true, outcome: 'rejected by its role' };
  return { ...check, ok: false, outcome: `not rejected by its role: status ${outcome.status}` };
}

/** Here no answer is as good as a refusal. */
function closed(who: string, outcome: ProbeOutcome): ProbeCheck {
  const check = { who, expected: 'refused', elapsedMs: outcome.elapsedMs } as const;
  if (outcome.kind === 'accepted') return { ...check, ok: false, outcome: `accepted with status ${outcome.status}` };
  return { ...check, ok: true, outcome: 'nothing speaks HTTP there from here', cause: outcome.cause };
}

/** Any answer is one too many: also that of a server that speaks TLS. */
function silent(who: string, outcome: ProbeOutcome): ProbeCheck {
  if (outcome.kind === 'accepted' || SILENT.includes(outcome.cause)) return closed(who, outcome);
  const { cause, elapsedMs } = outcome;
  return { who, expected: 'refused', ok: false, outcome: `something answers there (${cause})`, cause, elapsedMs };
}

function sameLeaf(expected: string, served: string): boolean {
  return served !== '' && splitBundle(expected)[0] === splitBundle(served)[0];
}
