/** The table of `status`: at once, or row by row while hosts are contacted. */

import { printable } from '../../errors/errors.ts';
import type { Accepted, AcceptedCa, StatusRow } from '../domain/status-row.ts';
import { dateWords, plural, wrapLines } from '../domain/words.ts';
import type { RenderContext } from '../render/change-result.ts';
import { type Colours, coloursOf, toneOf } from '../render/colours.ts';
import { type Cell, type Column, type OpenTable, openTable, renderTable, tableWidth } from '../render/table.ts';
import type { SshQuestions } from '../runtime.ts';

/** A table being printed; `end` returns the rows that were not shown yet, or all of them below a question. */
export type StatusStream = RowsShown & { end(rows: readonly StatusRow[]): string };

/** The widest text in the column while a host is pending. */
const WIDEST_DRIFT = '99 differences';

export function renderStatusTable(rows: readonly StatusRow[], colours: Colours, columns: number | undefined): string {
  const described = isDescribed(rows);
  const cells = rows.map((row) => cellsOf(row, described, colours));
  return renderTable(columnsOf(described), cells, { columns, titleStyle: colours.dim });
}

/**
 * Prints each host once it and those above it have answered, the head and the CAs before the first, and the rest at the end. A question
 * would stand inside the table: after one, all of it comes at the end.
 */
export function streamStatus({ runtime: { io }, progress }: Pick<RenderContext, 'runtime'> & Printing): StatusStream {
  const colours = coloursOf(io);
  const shown = new Set<string>();
  const answered = new Map<string, StatusRow>();
  let waiting: string[] = [];
  let above = '';
  let held = false;
  let table: OpenTable | undefined;
  let described = false;

  function line(row: StatusRow): string {
    shown.add(keyOf(row));
    return table?.row(cellsOf(row, described, colours)) ?? '';
  }

  function print(text: string): void {
    progress.print(io.outIsTerminal ? wrapLines(text, io.columns) : text);
  }

  return {
    begin(rows) {
      if (!rows.some(({ kind }) => kind === 'host')) return;
      described = isDescribed(rows);
      const widest = rows.map((row) => cellsOf(row, described, colours, WIDEST_DRIFT));
      table = openTable(columnsOf(described), widest, { columns: tableWidth(io), titleStyle: colours.dim });
      const first = rows.filter(({ kind }) => kind === 'ca' || kind === 'old ca');
      waiting = rows.filter(({ kind }) => kind === 'host').map(keyOf);
      above = table.head + first.map(line).join('');
      // From now on the table says how each host ended, and no line of the progress.
      print('');
    },
    hold() {
      held = true;
    },
    row(row) {
      answered.set(keyOf(row), row);
      if (held) return;
      for (let next = answered.get(waiting[0] ?? ''); next; next = answered.get(waiting[0] ?? '')) {
        waiting.shift();
        print(above + line(next));
        above = '';
      }
    },
    end(rows) {
      if (table === undefined || held) return renderStatusTable(rows, colours, tableWidth(io));
      const rest = rows.filter((row) => !shown.has(keyOf(row)));
      return above + rest.map(line).join('');
    },
  };
}

type Printing = { readonly progress: { print(text: string): void } };

function keyOf({ kind, name, serial = '' }: StatusRow): string {
  return `${kind}/${name}/${serial}`;
}

function isDescribed(rows: readonly StatusRow[]): boolean {
  return rows.some(({ description }) => description !== undefined);
}

function columnsOf(described: boolean): Column[] {
  return [
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
  ];
}

function cellsOf(row: StatusRow, described: boolean, colours: Colours, drift?: string): Cell[] {
  return [
    row.kind,
    row.name,
    row.address ?? '',
    row.issuer ?? 'itself',
    { text: dateWords(row.notAfter), style: toneOf(row.state, colours) },
    { text: row.daysLeft, style: toneOf(row.state, colours) },
    { text: row.state === 'ok' ? dateWords(row.dueAt) : row.state, style: toneOf(row.state, colours) },
    row.generation ?? '',
    drift ?? driftCell(row, colours),
    ...(described ? [row.description ?? ''] : []),
  ];
}

function driftCell(row: StatusRow, colours: Colours): Cell {
  if (row.drift === undefined && row.unreachable === undefined) return '';
  if (row.unreachable !== undefined) return { text: 'unreachable', style: colours.red };
  const { length } = foundOf(row);
  const client = row.kind === 'client' && !row.differs;
  return length === 0
    ? { text: client ? 'accepted' : 'in sync', style: colours.green }
    : { text: client ? 'rejected' : plural(length, 'difference'), style: colours.red };
}

/** Whom a CA that a host trusts gives access there. */
function throughCa({ role }: AcceptedCa, { listener }: Accepted): string {
  const whole = listener === undefined;
  switch (role) {
    case 'other':
      return whole || listener.others !== undefined
        ? 'every client of this CA, which this store does not know'
        : 'none of its clients: no --other-clients gives them a role';
    case 'old-ca':
      return `${whole ? 'every client of this CA' : 'its clients listed here'}, until it is dropped`;
    default:
      return whole ? 'every client of this CA' : 'its clients listed here';
  }
}

/** The clients that a host accepts according to the store, for a host that was chosen. */
export function renderAccepted(
  { kind, name, accepts, listener }: StatusRow,
  colours: Colours,
  columns?: number,
): string[] {
  if (kind !== 'host' || accepts === undefined) return [];
  const cas = accepts.cas.flatMap((ca) => {
    const role = (ca.role === 'other' && accepts.listener?.others) || '';
    return ca.role === 'issuer' ? [] : [['CA', ca.subject, dateWords(ca.notAfter), role, throughCa(ca, accepts)]];
  });
  const clients = accepts.clients.map((client) => {
    const about = client.revoked ? 'revoked, not applied yet' : client.own ? "this computer's own" : '';
    return ['client', client.name, dateWords(client.notAfter), client.role, about];
  });
  const titles = [
    { title: '' },
    { title: 'NAME', shrinkTo: 16 },
    { title: 'EXPIRES' },
    { title: 'ROLE' },
    { title: '', shrinkTo: 20 },
  ];
  const table = renderTable(titles, [...cas, ...clients], { columns, titleStyle: colours.dim });
  const by = listener === undefined ? '' : `, by ${printable(listener)}`;
  return [`${name}: accepted${by}, according to the store\n${table.trimEnd()}`];
}

/** Differences on a host, and the reason why it does not answer. */
export function foundOf({ drift, unreachable }: StatusRow): readonly string[] {
  return [...(drift ?? []), ...(unreachable === undefined ? [] : [unreachable])].map((text) => printable(text));
}

/** An observer of the rows while hosts are contacted. */
export type RowsShown = {
  /** All rows, as far as the store knows them. */
  begin(rows: readonly StatusRow[]): void;
  /** A host answered, or failed to. */
  row(row: StatusRow): void;
  /** A question was asked. */
  hold(): void;
};

/** The same questions, which hold the table. */
export function noticing(ask: SshQuestions, shown: RowsShown | undefined): SshQuestions {
  const noticed = Object.entries(ask).map(([name, put]: [string, (question: never) => unknown]) => [
    name,
    (question: never) => {
      shown?.hold();
      return put(question);
    },
  ]);
  return Object.fromEntries(noticed);
}
