/** Owns reading the history of a store's branch as git prints it. */

import type { LogEntry } from '../engine.ts';

/** For `git log -z --format=`. */
export const LOG_FORMAT = ['%H', '%aI', '%an <%ae>', '%G?', '%GS', '%B'].join('%x1f');

const SIGNATURES: Readonly<Record<string, string>> = {
  G: 'good signature',
  U: 'good signature, of unknown trust',
  X: 'good signature, expired',
  Y: 'good signature, by an expired key',
  R: 'good signature, by a revoked key',
  B: 'BAD signature',
  E: 'signature that cannot be checked here',
};

export function entryOf(text: string): LogEntry {
  const [revision = '', at = '', author = '', mark = 'N', signer = '', body = ''] = text.trimStart().split('\x1f');
  const [subject = '', ...rest] = body.trim().split('\n');
  const by = rest.find((line) => line.startsWith('By: '))?.slice(4);
  const lines = rest.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
  const kind = SIGNATURES[mark];
  const signature = kind === undefined ? {} : { signature: signer === '' ? kind : `${kind} by ${signer}` };
  return { revision, at: new Date(at), who: by ?? author, subject, lines, ...signature };
}
