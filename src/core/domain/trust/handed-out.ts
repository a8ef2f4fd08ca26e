/** Exported copies of a client's credentials that a renewal makes outdated, and how to update each. Pure. */

import type { ClientRecord, HandedOut, StoredClient } from '../../adapters/store/records.ts';
import { toolFormat } from '../../seams/formats.ts';
import { offeredCommands } from '../../seams/offered-commands.ts';
import { inspectCertificate } from '../pki/inspect.ts';
import { shellQuote } from '../quote.ts';

/** Record of a copy, without the current certificate and time. */
export type NewCopy = Omit<HandedOut, 'at' | 'certificate'>;

export type OutdatedCopy = {
  /** For instance `/home/ada/ci.tar (tar)` or `traefik (build-1)`. */
  readonly what: string;
  /** A command, or a step at the tool. */
  readonly renew: string;
};

/** Enough to see which copies are outdated; the oldest records are dropped first. */
const MOST = 50;

/** The record with one more copy; a copy in the same place replaces the earlier one. */
export function withHandedOut(
  { record, cert }: Pick<StoredClient, 'record' | 'cert'>,
  copy: NewCopy,
  now: Date,
): ClientRecord {
  const others = (record.handedOut ?? []).filter((one) => placeOf(one) !== placeOf(copy));
  const entry = { ...copy, certificate: inspectCertificate(cert).fingerprint, at: now.toISOString() };
  return { ...record, handedOut: [...others, entry].slice(-MOST), updatedAt: now.toISOString() };
}

/** Copies with another certificate than the current one. */
export function outdatedCopies({ record, cert }: Pick<StoredClient, 'record' | 'cert'>): OutdatedCopy[] {
  const { fingerprint } = inspectCertificate(cert);
  return (record.handedOut ?? [])
    .filter(({ certificate }) => certificate !== fingerprint)
    .map((copy) => ({ what: whatOf(copy), renew: renewalOf(record.name, copy) }));
}

function placeOf({ format, file, hosts, directory }: NewCopy): string {
  return JSON.stringify(file === undefined || file === '-' ? [format, file, hosts, directory] : [file]);
}

function whatOf({ format, file, hosts, at }: HandedOut): string {
  const about = [format, ...hosts].join(', ');
  const day = at.slice(0, 10);
  if (file === undefined) return `${format}${hosts.length > 0 ? ` (${hosts.join(', ')})` : ''}`;
  return file === '-' ? `the export of ${day} (${about})` : `${file} (${about}), exported on ${day}`;
}

function renewalOf(client: string, { format, file, hosts, directory }: HandedOut): string {
  const files = toolFormat(format)?.afterRenewal ?? 'give it the new files';
  if (file === undefined) return files;
  const options = [
    ...['--format', format],
    ...(hosts.length > 0 ? ['--hosts', hosts.join(',')] : []),
    ...(directory === undefined ? [] : ['--directory', shellQuote(directory)]),
    ...(file === '-' ? ['--out', '-'] : ['--out', shellQuote(file), '--replace']),
  ];
  const [again = files] = offeredCommands('export', client, ...options);
  return again;
}
