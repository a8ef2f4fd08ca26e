/** Owns the credentials of a client that no host may accept: its CA is trusted nowhere. */

import { issueCa, issueClient } from '../domain/pki/certificate.ts';
import type { ProbeCredentials } from '../runtime.ts';

const DAY_MS = 86_400_000;

let made: { readonly day: number; readonly credentials: Promise<ProbeCredentials> } | undefined;

/** Valid on the day of `now` and the next. Made once in a run: every host is connected at by the same untrusted client. */
export function untrustedCredentials(now: Date): Promise<ProbeCredentials> {
  const day = Math.floor(now.getTime() / DAY_MS);
  if (made?.day !== day) made = { day, credentials: issue(now) };
  return made.credentials;
}

async function issue(now: Date): Promise<ProbeCredentials> {
  const ca = await issueCa({ name: 'somebody else', days: 3, now });
  const { cert, key } = await issueClient({ authority: ca, name: 'untrusted client', days: 2, now });
  return { cert, key };
}
