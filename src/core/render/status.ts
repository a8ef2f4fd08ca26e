/** `status`: the table, the differences, and the commands for due renewals. */

import type { CommandResult } from '../../cli/command.ts';
import { type Hint, printable } from '../../errors/errors.ts';
import type { Status } from '../actions/status.ts';
import { otherCaWords } from '../domain/other-ca.ts';
import { shellQuote } from '../domain/quote.ts';
import { needsAttention, type StatusRow } from '../domain/status.ts';
import type { Rotation } from '../domain/trust/rotation.ts';
import { hangText, listWords, plural, wrapLines } from '../domain/words.ts';
import type { Around } from './change.ts';
import { type Colours, coloursOf } from './colours.ts';
import { foundOf, renderStatusTable, type StatusStream } from './status-table.ts';
import { tableWidth } from './table.ts';

export function renderStatus(
  { rows, rotation, missing }: Status,
  { runtime: { io }, global, options }: Around & { readonly options: { readonly check: boolean } },
  streamed?: StatusStream,
): CommandResult {
  const attention = rows.filter(needsAttention).length + missing.length;
  const nothing = rows.length === 0 && missing.length === 0;
  const colours = coloursOf(io);
  const table = rows.length === 0 ? [] : [streamed?.end(rows) ?? renderStatusTable(rows, colours, tableWidth(io))];
  const text = nothing
    ? 'Nothing is set up yet. Begin with:'
    : [
        ...table.map((lines) => `${lines}\n${renderFound(rows, colours, tableWidth(io), rotation)}`),
        ...(missing.length > 0 ? [`not set up yet: ${listWords(missing, 12)}`] : []),
      ].join('\n\n');
  return {
    exit: options.check && attention > 0 ? 3 : 0,
    result: {
      rows: rows.map((row) => ({ ...row, attention: needsAttention(row) })),
      attention,
      missing: missing.length > 0 ? missing : undefined,
    },
    text,
    attention: attention === 0 ? '' : text,
    next: nothing ? ['docker-tls setup'] : [...new Set(waysOn(rows, rotation, global.file))],
  };
}

/** The output of a watch: on a terminal it replaces the previous output. */
export function showStatus(now: Status, context: Parameters<typeof renderStatus>[1]): void {
  const { io, now: clock } = context.runtime;
  const { text } = renderStatus(now, context);
  const lines = io.outIsTerminal ? wrapLines(text, io.columns) : text;
  io.out(`${io.outIsTerminal ? '\u001b[H\u001b[2J' : ''}${clock().toISOString().slice(0, 19)}Z\n${lines}\n\n`);
}

/** Differences and pending upgrades, below the table. */
function renderFound(
  rows: readonly StatusRow[],
  colours: Colours,
  columns: number | undefined,
  rotation: Rotation | undefined,
): string {
  const attention = rows.filter(needsAttention).length;
  // The table cuts this column to the terminal's width; the problems of a host are printed in full below.
  const found = rows.flatMap((row) => foundOf(row).map((text) => `${row.name}: ${text}`));
  const upgrades = rows.flatMap(({ name, upgrade }) =>
    upgrade === undefined ? [] : [hangText(printable(`${name}: ${upgrade.text}`), columns, 2)],
  );
  return [
    ...(found.length > 0 ? [...found.map((line) => colours.red(hangText(line, columns, 2))), ''] : []),
    ...upgrades,
    ...rows.flatMap(({ name, otherCas = [] }) =>
      otherCas.map((ca) => hangText(printable(`${name}: accepts ${otherCaWords(ca)}`), columns, 2)),
    ),
    ...(rotation === undefined ? [] : [`A rotation of the CA is under way. ${rotation.words}`]),
    attention === 0
      ? upgrades.length > 0
        ? 'Nothing is due, and nothing differs.'
        : 'All is well.'
      : `${plural(attention, 'entry needs', 'entries need')} attention.`,
  ].join('\n');
}

/** Commands for due renewals. An expired CA can renew nothing, and its successor renews everything. */
function waysOn(rows: readonly StatusRow[], rotation: Rotation | undefined, file: string | undefined): Hint[] {
  const due = rows.filter((row) => row.state === 'due' || row.state === 'expired');
  const old = rotation?.next ?? [];
  const clients = due.filter((row) => row.kind === 'client');
  const rejected = rows.filter(
    (row) => row.kind === 'client' && !due.includes(row) && (row.unreachable !== undefined || row.drift?.length),
  );
  if (due.some((row) => row.kind === 'ca' && row.state === 'expired'))
    return ['docker-tls rotate ca', ...clients.flatMap((row) => (row.renewable ? [] : (row.renew ?? []))), ...old];
  return [
    ...(due.some((row) => row.kind === 'host') ? ['docker-tls rotate server --due'] : []),
    ...[...clients, ...rejected].flatMap((row) => row.renew ?? []),
    ...(due.some((row) => row.kind === 'ca') ? ['docker-tls rotate ca'] : []),
    ...old,
    ...waysOnHosts(
      rows.filter((row) => row.kind === 'host'),
      file,
    ),
  ];
}

/** Commands for hosts that differ or do not answer. */
function waysOnHosts(rows: readonly StatusRow[], file: string | undefined): string[] {
  const unreachable = rows.filter((row) => row.unreachable !== undefined);
  const different = rows.filter((row) => row.unreachable === undefined && (row.drift?.length ?? 0) > 0);
  const names = different.map((row) => row.name).join(' ');
  const of = file === undefined ? '' : ` -f ${shellQuote(file)}`;
  return [
    ...unreachable.slice(0, 3).map((row) => `docker-tls doctor ${row.name}${of}`),
    ...(different.length > 0 ? [`docker-tls plan${of || ` ${names}`}`] : []),
  ];
}
