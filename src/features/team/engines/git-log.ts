/** Parser of git's history of a store branch. */

import type { LogEntry } from './engine.ts';

/** Format for `git log -z --format=`: one line each, since names and signers have no line breaks. */
export const LOG_FORMAT = ['%H', '%aI', '%G?', '%GS', '%an <%ae>', '%B'].join('%n');

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
  const [revision = '', at = '', mark = 'N', signer = '', author = '', ...body] = text.trimStart().split('\n');
  const [subject = '', ...rest] = body.join('\n').trim().split('\n');
  const by = rest.find((line) => line.startsWith('By: '))?.slice(4);
  const lines = rest.filter((line) => line.startsWith('- ')).map((line) => line.slice(2));
  const kind = SIGNATURES[mark];
  const signature = kind === undefined ? {} : { signature: signer === '' ? kind : `${kind} by ${signer}` };
  return { revision, at: new Date(at), who: by ?? author, subject, lines, ...signature };
}
