/** The next commands after `status`. */

import type { Hint } from '../../errors/errors.ts';
import { shellQuote } from '../domain/quote.ts';
import type { StatusRow } from '../domain/status-row.ts';
import { offeredCommands } from '../seams/offered-commands.ts';
import type { StoreRemark } from '../seams/store-remarks.ts';

/** Commands for due renewals. An expired CA can renew nothing, and its successor renews everything. */
export function waysOn(rows: readonly StatusRow[], remarks: readonly StoreRemark[], file: string | undefined): Hint[] {
  const due = rows.filter((row) => row.state === 'due' || row.state === 'expired');
  const remarked = remarks.flatMap(({ next }) => next);
  const clients = due.filter((row) => row.kind === 'client');
  const rejected = rows.filter(
    (row) => row.kind === 'client' && !due.includes(row) && (row.unreachable !== undefined || isRejected(row)),
  );
  if (due.some((row) => row.kind === 'ca' && row.state === 'expired'))
    return [
      ...offeredCommands('new CA'),
      ...clients.flatMap((row) => (row.renewable ? [] : (row.renew ?? []))),
      ...remarked,
    ];
  return [
    ...(due.some((row) => row.kind === 'host') ? ['docker-tls rotate server --due'] : []),
    ...[...clients, ...rejected].flatMap((row) => row.renew ?? []),
    ...(due.some((row) => row.kind === 'ca') ? offeredCommands('new CA') : []),
    ...remarked,
    ...waysOnHosts(
      rows.filter((row) => row.kind === 'host'),
      file,
    ),
  ];
}

/** A difference from the fleet file alone is no reason to renew: `plan` shows it. */
function isRejected({ drift = [], differs }: StatusRow): boolean {
  return drift.length > (differs ? 1 : 0);
}

/** Commands for hosts that differ or do not answer. */
function waysOnHosts(rows: readonly StatusRow[], file: string | undefined): string[] {
  const unreachable = rows.filter((row) => row.unreachable !== undefined);
  const different = rows.filter((row) => row.unreachable === undefined && (row.drift?.length ?? 0) > 0);
  const names = different.map((row) => row.name).join(' ');
  const of = file === undefined ? '' : ` -f ${shellQuote(file)}`;
  return [
    ...unreachable.slice(0, 3).flatMap((row) => offeredCommands('diagnosis', `${row.name}${of}`)),
    ...(different.length > 0 ? [`docker-tls plan${of || ` ${names}`}`] : []),
  ];
}
