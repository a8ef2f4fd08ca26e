/** Connections that end when clients lose access. */

import { inspectCertificate } from '../../../core/domain/pki/inspect.ts';
import { backendOf, ISSUING_CA } from './client-keys.ts';

const LINE = /^((?:issuer|subject):[\w.@+-]+) [\w.@+-]+\/([a-z][a-z0-9-]*)\/([\w:.-]+)$/;

type Entry = { readonly key: string; readonly server: string; readonly line: string };

function entriesOf(map: string): Entry[] {
  return map.split('\n').flatMap((line) => {
    const [, key = '', role = '', server = ''] = LINE.exec(line) ?? [];
    return key === '' ? [] : [{ key, server: `${backendOf(role)}/${server}`, line }];
  });
}

/** Entries of the map to forget, and `BACKEND/SERVER` of connections to end; `*`: all connections. */
export type Cut = { readonly keys: readonly string[]; readonly servers: readonly string[] | '*' };

/**
 * The connections of every client whose line in the map is gone or another, or whose issuing CA is in `removed` (PEM). All of them if a
 * removed CA does not say whose it is. `ours`: subjects of our CAs, whose clients all have lines. Undefined: none.
 */
export function planCut(
  before: string,
  after: string,
  removed: readonly string[],
  ours: readonly string[],
): Cut | undefined {
  const kept = new Set(entriesOf(after).map(({ line }) => line));
  const owners = removed.filter((pem) => !ours.includes(subjectOf(pem))).map((pem) => ownerOf(pem));
  if (owners.includes(undefined)) return { keys: [], servers: '*' };
  const ended = entriesOf(before).filter(({ line, key }) => !kept.has(line) || owners.includes(key));
  if (ended.length === 0) return undefined;
  return {
    keys: ended.filter(({ line }) => !kept.has(line)).map(({ key }) => key),
    servers: ended.map(({ server }) => server),
  };
}

/** Subject of a certificate from a host; empty if it is unreadable. */
function subjectOf(pem: string): string {
  try {
    return inspectCertificate(pem).subject;
  } catch {
    return '';
  }
}

/** Key of the client whose issuing CA this is. */
function ownerOf(pem: string): string | undefined {
  const subject = subjectOf(pem);
  return new RegExp(ISSUING_CA).test(subject) ? `issuer:${subject.split(' ')[1]}` : undefined;
}
