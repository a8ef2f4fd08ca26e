/** The table of `status` beside questions: it stays whole. */

import { expect, test } from 'vitest';
import { noticing, streamStatus } from '../../../src/core/commands/status-table.ts';
import type { StatusRow } from '../../../src/core/domain/status-row.ts';
import type { SshQuestions } from '../../../src/core/runtime.ts';

const io = { outIsTerminal: true, errIsTerminal: true, columns: 120, colour: false };
const date = new Date('2026-12-01T00:00:00Z');
const rows = (['ca', 'host', 'host', 'client'] as const).map(
  (kind, at): StatusRow => ({
    ...{ kind, name: `${kind}-${at}`, issuer: undefined, notBefore: date, notAfter: date, daysLeft: 1, dueAt: date },
    state: 'ok',
  }),
);
const [, first, second] = rows as [StatusRow, StatusRow, StatusRow];
const names = (text: string) => text.match(/NAME|[a-z]+-\d/g) ?? [];

function streaming() {
  let printed = '';
  const progress = {
    print(text: string): void {
      printed += text;
    },
  };
  const stream = streamStatus({ runtime: { io }, progress } as unknown as Parameters<typeof streamStatus>[0]);
  stream.begin(rows);
  return { stream, printed: () => names(printed) };
}

test('without a question each row comes once', () => {
  const { stream, printed } = streaming();
  expect(printed()).toEqual([]);
  stream.row(first);
  expect(printed()).toEqual(['NAME', 'ca-0', 'host-1']);
  stream.row(second);
  expect([...printed(), ...names(stream.end(rows))]).toEqual(['NAME', 'ca-0', 'host-1', 'host-2', 'client-3']);
});

test('after a question all rows come together at the end', async () => {
  const { stream, printed } = streaming();
  const order: string[] = [];
  const ask = { password: async () => void order.push(`asked after ${printed().length} rows`) };
  await noticing(ask as unknown as SshQuestions, stream).password({ host: 'h', prompt: 'Password:', echo: false });
  stream.row(first);
  stream.row(second);
  expect([order, printed()]).toEqual([['asked after 0 rows'], []]);
  expect(names(stream.end(rows))).toEqual(['NAME', 'ca-0', 'host-1', 'host-2', 'client-3']);
});

test('where no host answered, the table comes with its head', () => {
  const { stream } = streaming();
  expect(names(stream.end(rows))).toEqual(['NAME', 'ca-0', 'host-1', 'host-2', 'client-3']);
});
