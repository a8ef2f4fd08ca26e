/** Owns `status`: every CA, host and client, how long they last, and whether hosts serve what they should. */

import { resolve } from 'node:path';
import { needsAttention, type StatusRow, status } from '../../actions/status.ts';
import { shellQuote } from '../../domain/quote.ts';
import { dateWords, hangText, listWords, plural } from '../../domain/words.ts';
import { printable } from '../../errors/errors.ts';
import { defineCommand } from '../command.ts';
import { checkOut, writeOut } from '../files.ts';
import { DUE_OPTIONS, SSH_OPTIONS } from '../host-options.ts';
import { type Colours, coloursOf } from '../render/colours.ts';
import { renderPrometheus } from '../render/prometheus.ts';
import { type Rotation, rotationOf } from '../render/rotation.ts';
import { type Cell, renderTable, tableWidth } from '../render/table.ts';
import { sudoPasswords } from '../run.ts';
import { SELECTION_OPTIONS, type Selection, selectSpecs } from '../selection.ts';
import { storeOf } from '../store.ts';

export const command = defineCommand({
  name: 'status',
  summary: 'Every host, client and CA: expiry, days left, renewal due, drift',
  about:
    'Asks hosts over TLS and SSH what they really serve; --offline looks at the store alone. Something is due after two thirds of its lifetime, or, with --within, that long before its end.\nWith --check the exit status is 3 when something is due or differs.',
  examples: [
    'docker-tls status',
    'docker-tls status --offline --within 30d --check',
    'docker-tls status -f fleet.yaml --check',
    'docker-tls status --prometheus /var/lib/node_exporter/docker-tls.prom',
  ],
  args: { hosts: { summary: 'hosts; default: all', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    offline: { kind: 'flag', summary: 'ask no host' },
    noSsh: { kind: 'flag', summary: 'ask hosts over TLS only' },
    ...DUE_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when something is due or differs' },
    prometheus: {
      kind: 'text',
      value: 'FILE',
      summary: "write a text file for Prometheus' node exporter",
      completes: 'file',
    },
    askSudoPassword: SSH_OPTIONS.askSudoPassword,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  },
  async run(context) {
    const { args, options, global, runtime, prompts, progress } = context;
    const metrics =
      options.prometheus === undefined
        ? undefined
        : { runtime, global, out: resolve(runtime.cwd, options.prometheus), replace: true };
    if (metrics !== undefined) checkOut(metrics, false);
    const stored = await storeOf({ global, runtime }).read();
    const chosen =
      args.hosts.length > 0 ||
      global.file !== undefined ||
      [options.inventory, options.shard].some(Boolean) ||
      options.limit.length > 0;
    const selection: Pick<Selection, 'specs' | 'secrets'> = chosen
      ? await selectSpecs(context, args.hosts, options, stored, undefined)
      : { specs: [], secrets: {} };
    const names = new Set(selection.specs.map(({ name }) => name));
    const state = chosen
      ? { ...stored, hosts: new Map([...stored.hosts].filter(([name]) => names.has(name))) }
      : stored;
    const missing = [...names].filter((name) => !stored.hosts.has(name));
    const rows = await status(
      runtime,
      state,
      {
        tls: !options.offline,
        ssh: !options.offline && !options.noSsh,
        withinDays: options.within && options.within / 86_400_000,
        parallel: global.parallel,
        ...(options.offline || options.noSsh ? {} : await sudoPasswords(options, selection, context)),
        ask: prompts.ssh,
      },
      progress,
    );
    // node_exporter reads the file at any moment: it has to appear whole.
    if (metrics !== undefined) await writeOut({ ...metrics, data: renderPrometheus(rows, runtime.now()) });
    const due = rows.filter(needsAttention);
    const rotation = rotationOf(stored, runtime.now());
    const attention = due.length + missing.length;
    const text =
      rows.length === 0 && missing.length === 0
        ? 'Nothing is set up yet. Begin with:'
        : [
            ...(rows.length > 0 ? [renderStatus(rows, coloursOf(runtime.io), tableWidth(runtime.io), rotation)] : []),
            ...(missing.length > 0 ? [`not set up yet: ${listWords(missing, 12)}`] : []),
          ].join('\n\n');
    return {
      exit: options.check && attention > 0 ? 3 : 0,
      result: { rows: rows.map(rowJson), attention, missing: missing.length > 0 ? missing : undefined },
      text,
      attention: attention === 0 ? '' : text,
      next:
        rows.length === 0 && missing.length === 0
          ? ['docker-tls setup']
          : [...new Set(waysOn(rows, rotation, global.file))],
    };
  },
});

function renderStatus(
  rows: readonly StatusRow[],
  colours: Colours,
  columns: number | undefined,
  rotation: Rotation | undefined,
): string {
  const tone = (row: StatusRow) =>
    row.state === 'ok'
      ? colours.green
      : row.state === 'revoked'
        ? colours.dim
        : row.state === 'due'
          ? colours.yellow
          : colours.red;
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
      { text: dateWords(row.notAfter), style: tone(row) },
      { text: row.daysLeft, style: tone(row) },
      { text: row.state === 'ok' ? dateWords(row.dueAt) : row.state, style: tone(row) },
      row.generation ?? '',
      driftCell(row, colours),
      ...(described ? [row.description ?? ''] : []),
    ]),
    { columns, titleStyle: colours.dim },
  );
  const attention = rows.filter(needsAttention).length;
  // The column is as wide as the terminal leaves it; what is wrong with a host is to be read in full.
  const found = rows.flatMap((row) => foundOf(row).map((text) => `${row.name}: ${text}`));
  return [
    table,
    ...(found.length > 0 ? [...found.map((line) => colours.red(hangText(line, columns, 2))), ''] : []),
    ...rows.flatMap(({ name, upgrade }) =>
      upgrade === undefined ? [] : [hangText(printable(`${name}: ${upgrade.text}`), columns, 2)],
    ),
    ...(rotation === undefined ? [] : [`A rotation of the CA is under way. ${rotation.words}`]),
    attention === 0 ? 'All is well.' : `${plural(attention, 'entry needs', 'entries need')} attention.`,
  ].join('\n');
}

/** Commands for what is due. A CA that has expired renews nothing, and its successor renews it all. */
function waysOn(rows: readonly StatusRow[], rotation: Rotation | undefined, file: string | undefined): string[] {
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

function rowJson(row: StatusRow): unknown {
  return {
    ...row,
    notBefore: row.notBefore.toISOString(),
    notAfter: row.notAfter.toISOString(),
    dueAt: row.dueAt.toISOString(),
    attention: needsAttention(row),
  };
}
