/** Owns how `status` looks: the table, what differs, and the commands for what is due. */

import type { Status } from '../../actions/status.ts';
import { shellQuote } from '../../domain/quote.ts';
import { needsAttention, type StatusRow } from '../../domain/status.ts';
import type { Rotation } from '../../domain/trust/rotation.ts';
import { dateWords, hangText, listWords, plural, wrapLines } from '../../domain/words.ts';
import { type Hint, printable } from '../../errors/errors.ts';
import type { CommandResult } from '../command.ts';
import type { Around } from './change.ts';
import { type Colours, coloursOf, toneOf } from './colours.ts';
import { type Cell, renderTable, tableWidth } from './table.ts';

export function renderStatus(
  { rows, rotation, missing }: Status,
  { runtime: { io }, global, options }: Around & { readonly options: { readonly check: boolean } },
): CommandResult {
  const attention = rows.filter(needsAttention).length + missing.length;
  const nothing = rows.length === 0 && missing.length === 0;
  const text = nothing
    ? 'Nothing is set up yet. Begin with:'
    : [
        ...(rows.length > 0 ? [renderRows(rows, coloursOf(io), tableWidth(io), rotation)] : []),
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

/** What a watch shows: on a terminal in the place of what was there before. */
export function showStatus(now: Status, context: Parameters<typeof renderStatus>[1]): void {
  const { io, now: clock } = context.runtime;
  const { text } = renderStatus(now, context);
  const lines = io.outIsTerminal ? wrapLines(text, io.columns) : text;
  io.out(`${io.outIsTerminal ? '\u001b[H\u001b[2J' : ''}${clock().toISOString().slice(0, 19)}Z\n${lines}\n\n`);
}

function renderRows(
  rows: readonly StatusRow[],
  colours: Colours,
  columns: number | undefined,
  rotation: Rotation | undefined,
): string {
  const described = rows.some(({ description }) => description !== undefined);
  const table = renderTable(
    [
      { title: '' },
      { title: 'NAME' },
      { title: 'ADDRESS', shrinkTo: 21, leaveOut: 1 },
      { title: 'ISSUER', shrinkTo: 16, leaveOut: 2 },
      { title: 'EXPIRES' },
      { title: 'DAYS', align: 'right' },
      { title: 'RENEW FROM' },
      { title: 'GEN', align: 'right' },
      { title: 'DRIFT', shrinkTo: 10 },
      ...(described ? [{ title: 'DESCRIPTION', shrinkTo: 20, leaveOut: 3 }] : []),
    ],
    rows.map((row) => [
      row.kind,
      row.name,
      row.address ?? '',
      row.issuer,
      { text: dateWords(row.notAfter), style: toneOf(row.state, colours) },
      { text: row.daysLeft, style: toneOf(row.state, colours) },
      { text: row.state === 'ok' ? dateWords(row.dueAt) : row.state, style: toneOf(row.state, colours) },
      row.generation ?? '',
      driftCell(row, colours),
      ...(described ? [row.description ?? ''] : []),
    ]),
    { columns, titleStyle: colours.dim },
  );
  const attention = rows.filter(needsAttention).length;
  // The column is as wide as the terminal leaves it; what is wrong with a host is to be read in full.
  const found = rows.flatMap((row) => foundOf(row).map((text) => `${row.name}: ${text}`));
  const upgrades = rows.flatMap(({ name, upgrade }) =>
    upgrade === undefined ? [] : [hangText(printable(`${name}: ${upgrade.text}`), columns, 2)],
  );
  return [
    table,
    ...(found.length > 0 ? [...found.map((line) => colours.red(hangText(line, columns, 2))), ''] : []),
    ...upgrades,
    ...(rotation === undefined ? [] : [`A rotation of the CA is under way. ${rotation.words}`]),
    attention === 0
      ? upgrades.length > 0
        ? 'Nothing is due, and nothing differs.'
        : 'All is well.'
      : `${plural(attention, 'entry needs', 'entries need')} attention.`,
  ].join('\n');
}

/** Commands for what is due. A CA that has expired renews nothing, and its successor renews it all. */
function waysOn(rows: readonly StatusRow[], rotation: Rotation | undefined, file: string | undefined): Hint[] {
  const due = rows.filter((row) => row.state === 'due' || row.state === 'expired');
  const old = rotation?.next ?? [];
  const clients = due.filter((row) => row.kind === 'client');
  if (due.some((row) => row.kind === 'ca' && row.state === 'expired'))
    return ['docker-tls rotate ca', ...clients.flatMap((row) => (row.renewable ? [] : (row.renew ?? []))), ...old];
  return [
    ...(due.some((row) => row.kind === 'host') ? ['docker-tls rotate server --due'] : []),
    ...clients.flatMap((row) => row.renew ?? []),
    ...(due.some((row) => row.kind === 'ca') ? ['docker-tls rotate ca'] : []),
    ...old,
    ...waysOnHosts(rows, file),
  ];
}

/** What to look at where a host differs, or does not answer. */
function waysOnHosts(rows: readonly StatusRow[], file: string | undefined): string[] {
  const unreachable = rows.filter((row) => row.unreachable !== undefined);
  const different = rows.filter((row) => row.unreachable === undefined && (row.drift?.length ?? 0) > 0);
  const names = different.map((row) => row.name).join(' ');
  return [
    ...unreachable.slice(0, 3).map((row) => `docker-tls doctor ${row.name}`),
    ...(different.length > 0 ? [`docker-tls plan ${file === undefined ? names : `-f ${shellQuote(file)}`}`] : []),
  ];
}

function driftCell(row: StatusRow, colours: Colours): Cell {
  if (row.drift === undefined && row.unreachable === undefined) return '';
  if (row.unreachable !== undefined) return { text: 'unreachable', style: colours.red };
  const { length } = foundOf(row);
  return length === 0
    ? { text: 'in sync', style: colours.green }
    : { text: plural(length, 'difference'), style: colours.red };
}

/** What differs on a host, and why it does not answer. */
function foundOf({ drift, unreachable }: StatusRow): readonly string[] {
  return [...(drift ?? []), ...(unreachable === undefined ? [] : [unreachable])].map((text) => printable(text));
}
