/** Owns the proof that a host lets the right people in and nobody else: real connections from this computer, all at once. */

import { shellQuote } from '../daemon/quote.ts';
import { dockerHost } from '../docker/environment.ts';
import { DockerTlsError } from '../errors.ts';
import { splitBundle } from '../pki/inspect.ts';
import type { Probe, ProbeCredentials, ProbeOutcome, ProbeRequest } from '../runtime.ts';
import { strangersPapers } from './stranger.ts';

export type Proof = {
  /** Who knocks, for instance `client laptop` or `no certificate`. */
  readonly who: string;
  readonly expected: 'accepted' | 'refused';
  readonly ok: boolean;
  /** What happened, clean, one line. */
  readonly outcome: string;
  /** Why there was no answer over HTTP, where there was none; `not-spoken-here`: it was not tried. */
  readonly cause?: Extract<ProbeOutcome, { kind: 'refused' }>['cause'];
  readonly elapsedMs: number;
};

export type ProofRequest = {
  readonly address: string;
  readonly port: number;
  /** What the client trusts, PEM. */
  readonly ca: string;
  /** Who has to get in; absent where no key of a welcome client is here: then only what is served and who is refused is proven. */
  readonly client?: { readonly name: string } & ProbeCredentials;
  /** The server's own papers, which must not open the door; absent where its key is not here. */
  readonly server?: ProbeCredentials;
  /** The certificate that has to be served (PEM); absent: any that verifies. */
  readonly serverCert?: string;
  /** Clients that were turned away by name and must be refused. */
  readonly revoked?: readonly ({ readonly name: string } & ProbeCredentials)[];
  readonly now: Date;
  readonly timeoutMs?: number;
};

export type ProvenAt = Pick<ProofRequest, 'address' | 'port'>;

/** Knocks as everybody: the client, nobody, a stranger's CA, the server itself, over plain HTTP, and with an old protocol. */
export async function proveHost(probe: Probe, request: ProofRequest): Promise<Proof[]> {
  const base: ProbeRequest = {
    address: request.address,
    port: request.port,
    ca: request.ca,
    timeoutMs: request.timeoutMs ?? 10_000,
  };
  const { client } = request;
  const credentials = client && { cert: client.cert, key: client.key };
  const stranger = await strangersPapers(request.now);
  const knock = (more: Partial<ProbeRequest>): Promise<ProbeOutcome> => probe({ ...base, ...more });
  return Promise.all([
    ...(client && credentials
      ? [
          knock({ credentials }).then((outcome) => accepted(`client ${client.name}`, outcome, request.serverCert)),
          knock({}).then((outcome) => refused('no certificate', outcome)),
        ]
      : [knock({}).then((outcome) => refusedBy('no certificate', outcome, request.serverCert))]),
    knock({ credentials: stranger }).then((outcome) => refused("another CA's certificate", outcome)),
    ...(request.server
      ? [knock({ credentials: request.server }).then((outcome) => refused("the server's own certificate", outcome))]
      : []),
    knock({ plain: true }).then((outcome) => refused('plain HTTP', outcome)),
    knock({ ...(credentials ? { credentials } : {}), maxVersion: 'TLSv1.1' }).then((outcome) =>
      refused('TLS 1.1', outcome),
    ),
    ...(request.revoked ?? []).map(async (client) =>
      refused(`revoked client ${client.name}`, await knock({ credentials: { cert: client.cert, key: client.key } })),
    ),
  ]);
}

/**
 * Fails with E_VERIFY (exit 7) unless every proof went as it must. `first`: where a host was proven that the store does not know yet, so
 * that `doctor` can not be asked either.
 */
export function requireProofs(host: string, proofs: readonly Proof[], ending: string, first?: ProvenAt): void {
  const bad = proofs.filter((proof) => !proof.ok);
  if (bad.length === 0) return;
  const client = bad.find((proof) => proof.expected === 'accepted');
  throw new DockerTlsError({
    code: 'E_VERIFY',
    exit: 7,
    where: host,
    message: client
      ? `${client.who} was not let in (${client.outcome}); ${ending}`
      : proofs.every((proof) => SILENT.includes(proof.cause))
        ? `nothing answered from here; ${ending}`
        : `${bad.map((proof) => proof.who).join(', ')} got further than they may; ${ending}`,
    hints: first === undefined ? [`docker-tls doctor ${host}`] : waysIn(first, (client ?? bad[0])?.cause),
    details: bad.map((proof) => `${proof.who}: expected ${proof.expected}, ${proof.outcome}`),
  });
}

/** What to try, by the cause, where the daemon was fine and the way from here to it was not. */
function waysIn({ address, port }: ProvenAt, cause: Proof['cause']): string[] {
  const otherAddress = 'if clients reach the host by another name or address: --address NAME';
  const otherPort = 'or take a port that is open: --port N';
  const again = 'then run the same command again';
  switch (cause) {
    case 'timed-out':
    case 'connection-refused':
      return [
        `clients dial TCP port ${port} of ${address} itself, not through ssh’s jump hosts: let it through every firewall on the way, a cloud’s security groups included; ${again}`,
        otherPort,
        otherAddress,
      ];
    case 'unreachable':
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

function accepted(who: string, outcome: ProbeOutcome, serverCert: string | undefined): Proof {
  const proof = { who, expected: 'accepted', ok: false, elapsedMs: outcome.elapsedMs } as const;
  if (outcome.kind === 'refused')
    return { ...proof, outcome: `${outcome.cause}: ${outcome.reason}`, cause: outcome.cause };
  if (outcome.status !== 200) return { ...proof, outcome: `the daemon answered with status ${outcome.status}` };
  if (serverCert !== undefined && !sameLeaf(serverCert, outcome.chain))
    return { ...proof, outcome: 'another certificate than the new one is served' };
  return { ...proof, ok: true, outcome: `let in (${outcome.protocol})` };
}

/** Nobody here is welcome on the host: that the right certificate is served, and that it asks for one, has to do. */
function refusedBy(who: string, outcome: ProbeOutcome, serverCert: string | undefined): Proof {
  const proof = refused(who, outcome);
  if (!proof.ok || outcome.kind === 'accepted') return proof;
  if (outcome.cause !== 'client-refused')
    return { ...proof, ok: false, outcome: `${outcome.cause}: ${outcome.reason}` };
  if (serverCert === undefined || sameLeaf(serverCert, outcome.chain)) return proof;
  return { ...proof, ok: false, outcome: 'another certificate than the new one is served' };
}

/** A port that does not answer refuses nobody: it proves nothing. */
const SILENT: readonly Proof['cause'][] = ['connection-refused', 'timed-out', 'unreachable', 'name-not-found'];

function refused(who: string, outcome: ProbeOutcome): Proof {
  const proof = { who, expected: 'refused', elapsedMs: outcome.elapsedMs } as const;
  if (outcome.kind === 'accepted') return { ...proof, ok: false, outcome: `let in with status ${outcome.status}` };
  const { cause } = outcome;
  if (SILENT.includes(cause)) return { ...proof, ok: false, outcome: `no answer (${cause})`, cause };
  if (cause === 'not-spoken-here') return { ...proof, ok: true, outcome: `not tried: ${outcome.reason}`, cause };
  return { ...proof, ok: true, outcome: 'turned away', cause };
}

function sameLeaf(expected: string, served: string): boolean {
  return served !== '' && splitBundle(expected)[0] === splitBundle(served)[0];
}
