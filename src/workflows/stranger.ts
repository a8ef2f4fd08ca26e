/** Owns the papers of somebody whom no host may let in: a client of a CA that nobody trusts. */

import { issueCa, issueClient } from '../pki/certificate.ts';
import type { ProbeCredentials } from '../runtime.ts';

const DAY_MS = 86_400_000;

let made: { readonly day: number; readonly papers: Promise<ProbeCredentials> } | undefined;

/** Valid on the day of `now` and the next. Made once in a run: every host is knocked at by the same stranger. */
export function strangersPapers(now: Date): Promise<ProbeCredentials> {
  const day = Math.floor(now.getTime() / DAY_MS);
  if (made?.day !== day) made = { day, papers: issue(now) };
  return made.papers;
}

async function issue(now: Date): Promise<ProbeCredentials> {
  const ca = await issueCa({ name: 'somebody else', days: 3, now });
  const { cert, key } = await issueClient({ authority: ca, name: 'stranger', days: 2, now });
  return { cert, key };
}
