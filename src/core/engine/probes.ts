/**
 * Connection matrix for verifying whom a daemon accepts: one row for each kind of client. setup, verify, status, audit and doctor all
 * connect by its rows.
 */

import { issueCa, issueClient } from '../domain/pki/certificate.ts';
import type { Probe, ProbeCredentials, ProbeOutcome, ProbeRequest } from '../runtime.ts';

type Row = {
  /** The client that connects. */
  readonly who: string;
  readonly expected: 'accepted' | 'refused';
  readonly how?: Partial<Pick<ProbeRequest, 'plain' | 'maxVersion' | 'port' | 'timeoutMs'>>;
};

export const PROBES = {
  'own-certificate': { who: 'client', expected: 'accepted' },
  'no-certificate': { who: 'no certificate', expected: 'refused' },
  // A server may request a certificate in one TLS version and not in the other.
  'no-certificate-1.2': { who: 'no certificate, TLS 1.2', expected: 'refused', how: { maxVersion: 'TLSv1.2' } },
  'other-authority': { who: 'a certificate of an untrusted CA', expected: 'refused' },
  'server-certificate': { who: "the server's own certificate", expected: 'refused' },
  plain: { who: 'plain HTTP', expected: 'refused', how: { plain: true } },
  'old-protocol': { who: 'TLS 1.1', expected: 'refused', how: { maxVersion: 'TLSv1.1' } },
  'expired-certificate': { who: 'expired client', expected: 'refused' },
  'revoked-certificate': { who: 'revoked client', expected: 'refused' },
  'outside-role': { who: 'client', expected: 'refused' },
  // Where another service accepts clients, the daemon must not do so beside it. A firewall may drop the packets.
  'daemon-port': {
    who: 'plain HTTP, port 2375',
    expected: 'refused',
    how: { plain: true, port: 2375, timeoutMs: 3000 },
  },
  // Of a host without a port: the one that it had, or would have.
  'closed-port': { who: 'plain HTTP', expected: 'refused', how: { plain: true, timeoutMs: 3000 } },
} as const satisfies Readonly<Record<string, Row>>;

export type ProbeName = keyof typeof PROBES;

type ProbedAt = {
  readonly address: string;
  readonly port: number;
  /** CAs that the client trusts, PEM. Absent: it accepts any server, as an intruder would, and shows none of our credentials. */
  readonly ca?: string | undefined;
  readonly timeoutMs: number;
  readonly now: Date;
  /** Instead of `/_ping`. */
  readonly path?: string | undefined;
  /** Ends the wait for a host that does not answer. */
  readonly signal?: AbortSignal;
};

/** Makes one connection. `credentials`: for rows that show one of our certificates. Fails with the signal's reason. */
export async function probeAs(
  probe: Probe,
  name: ProbeName,
  { address, port, ca, timeoutMs, now, path, signal }: ProbedAt,
  credentials?: ProbeCredentials,
): Promise<ProbeOutcome> {
  const { how }: Row = PROBES[name];
  const outcome = probe({
    ...{ address, port, ca: ca ?? '', timeoutMs, ...(path === undefined ? {} : { path }), ...how },
    anyServer: ca === undefined,
    credentials: name === 'other-authority' ? await untrustedCredentials(now) : credentials,
  });
  return signal === undefined ? await outcome : await unlessStopped(outcome, signal);
}

/** Stops waiting when the signal aborts; the abandoned work has its own time limit. */
async function unlessStopped<T>(work: Promise<T>, signal: AbortSignal): Promise<T> {
  let stop = (): void => {};
  const stopped = new Promise<never>((_resolve, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([work, stopped]);
  } finally {
    signal.removeEventListener('abort', stop);
    work.catch(() => undefined);
  }
}

const DAY_MS = 86_400_000;

let made: { readonly day: number; readonly credentials: Promise<ProbeCredentials> } | undefined;

/** Credentials of a client of an untrusted CA, valid on the day of `now` and the next. Made once per run, for all hosts. */
function untrustedCredentials(now: Date): Promise<ProbeCredentials> {
  const day = Math.floor(now.getTime() / DAY_MS);
  if (made?.day !== day) made = { day, credentials: issueUntrusted(now) };
  return made.credentials;
}

async function issueUntrusted(now: Date): Promise<ProbeCredentials> {
  const authority = await issueCa({ name: 'untrusted CA', days: 3, now });
  const { cert, key } = await issueClient({ authority, name: 'untrusted client', days: 2, now });
  return { cert, key };
}
