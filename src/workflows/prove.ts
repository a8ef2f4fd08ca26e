/** Owns the proof that a host lets the right people in and nobody else: real connections from this computer, all at once. */

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

/** Fails with E_VERIFY (exit 7) unless every proof went as it must. */
export function requireProofs(host: string, proofs: readonly Proof[], ending: string): void {
  const bad = proofs.filter((proof) => !proof.ok);
  if (bad.length === 0) return;
  const client = bad.find((proof) => proof.expected === 'accepted');
  throw new DockerTlsError({
    code: 'E_VERIFY',
    exit: 7,
    where: host,
    message: client
      ? `${client.who} was not let in (${client.outcome}); ${ending}`
      : `${bad.map((proof) => proof.who).join(', ')} got further than they may; ${ending}`,
    hints: [`docker-tls doctor ${host}`],
    details: bad.map((proof) => `${proof.who}: expected ${proof.expected}, ${proof.outcome}`),
  });
}

function accepted(who: string, outcome: ProbeOutcome, serverCert: string | undefined): Proof {
  const expected = 'accepted' as const;
  if (outcome.kind === 'refused')
    return { who, expected, ok: false, outcome: `${outcome.cause}: ${outcome.reason}`, elapsedMs: outcome.elapsedMs };
  if (outcome.status !== 200)
    return {
      who,
      expected,
      ok: false,
      outcome: `the daemon answered with status ${outcome.status}`,
      elapsedMs: outcome.elapsedMs,
    };
  if (serverCert !== undefined && !sameLeaf(serverCert, outcome.chain)) {
    return {
      who,
      expected,
      ok: false,
      outcome: 'another certificate than the new one is served',
      elapsedMs: outcome.elapsedMs,
    };
  }
  return { who, expected, ok: true, outcome: `let in (${outcome.protocol})`, elapsedMs: outcome.elapsedMs };
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

function refused(who: string, outcome: ProbeOutcome): Proof {
  const expected = 'refused' as const;
  if (outcome.kind === 'accepted')
    return { who, expected, ok: false, outcome: `let in with status ${outcome.status}`, elapsedMs: outcome.elapsedMs };
  // A port that does not answer refuses nobody: it proves nothing.
  const silent = ['connection-refused', 'timed-out', 'unreachable', 'name-not-found'].includes(outcome.cause);
  return {
    who,
    expected,
    ok: !silent,
    outcome: silent ? `no answer (${outcome.cause})` : 'turned away',
    elapsedMs: outcome.elapsedMs,
  };
}

function sameLeaf(expected: string, served: string): boolean {
  return served !== '' && splitBundle(expected)[0] === splitBundle(served)[0];
}
