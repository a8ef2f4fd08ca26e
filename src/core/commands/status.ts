/** `status`: every CA, host and client with its expiry, and differences between hosts and the store. */

import { resolve } from 'node:path';
import { type CommandResult, defineCommand } from '../../cli/command.ts';
import { DUE_OPTIONS, FILE, SELECTION_OPTIONS, SSH_OPTIONS } from '../../cli/host-options.ts';
import { interrupted, printable } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { checkOut, writeOut } from '../actions/input-output.ts';
import { storeOf } from '../actions/open-store.ts';
import { type RunOptions, sudoPasswords } from '../actions/run.ts';
import { type SelectionOptions, selectSpecs } from '../actions/select-hosts.ts';
import type { StoredHost } from '../adapters/store/records.ts';
import { otherCaWords } from '../domain/other-ca.ts';
import { shellQuote } from '../domain/quote.ts';
import { type LiveRow, needsAttention, type ReachedHost, type StatusRow } from '../domain/status-row.ts';
import { acceptance } from '../domain/trust/accepted.ts';
import { accessDrift } from '../domain/trust/client-hosts.ts';
import { hostRow, statusRows } from '../domain/trust/status-rows.ts';
import { hangText, listWords, plural } from '../domain/words.ts';
import { askHosts } from '../engine/ask-hosts.ts';
import type { RenderContext } from '../render/change-result.ts';
import { type Colours, coloursOf } from '../render/colours.ts';
import { tableWidth } from '../render/table.ts';
import type { HostsOfFile } from '../seams/fleet-files.ts';
import { loadMonitor, MONITORS } from '../seams/monitors.ts';
import { REACHED_HOSTS, type Reached, type ReachedHosts } from '../seams/reached-hosts.ts';
import { offered, offeredLines } from '../seams/seam.ts';
import { SETTING_PLACES } from '../seams/setting-places.ts';
import { remarksOn, type StoreRemark } from '../seams/store-remarks.ts';
import { WIZARD } from '../seams/wizard.ts';
import { reachedDocument, type StatusDocument, statusRowDocument } from './status-document.ts';
import { waysOn } from './status-next.ts';
import {
  foundOf,
  noticing,
  type RowsShown,
  renderAccepted,
  renderStatusTable,
  type StatusStream,
  streamStatus,
} from './status-table.ts';

export const command = defineCommand({
  scope: ['fleet', 'hosts', 'store'],
  about:
    'Asks hosts over TLS and SSH what they really serve, and the hosts of imported clients whether they accept them; --offline looks at the store alone. Something is due after two thirds of its lifetime, or, with --within, that long before its end.\nWith --check the exit status is 3 when something is due or differs.',
  examples: [
    'docker-tls status',
    'docker-tls status --offline --within 30d --check',
    ...offeredLines(SETTING_PLACES, 'docker-tls status -f fleet.yaml --check'),
    ...offeredLines(
      MONITORS,
      'docker-tls status --watch',
      'docker-tls status --prometheus /var/lib/node_exporter/docker-tls.prom',
    ),
  ],
  args: { hosts: { summary: 'hosts (default: all)', many: true, completes: 'host' } },
  options: {
    ...SELECTION_OPTIONS,
    offline: { kind: 'flag', summary: 'ask no host' },
    noSsh: { kind: 'flag', summary: 'ask hosts over TLS only' },
    ...DUE_OPTIONS,
    check: { kind: 'flag', summary: 'exit with status 3 when something is due or differs' },
    ...offered(MONITORS, {
      watch: { kind: 'flag', summary: 'show it again at every change of the store, and each 30 s, until Ctrl-C' },
      prometheus: { ...FILE, summary: "write a text file for Prometheus' node exporter" },
    }),
    askSudoPassword: SSH_OPTIONS.askSudoPassword,
    sudoPasswordFile: SSH_OPTIONS.sudoPasswordFile,
  },
  run: async (context) => {
    const { args, options } = context;
    if (!options.watch) {
      const { json, quiet } = context.global;
      const streams = context.runtime.io.outIsTerminal && !json && !quiet && !options.offline;
      const stream = streams ? streamStatus(context) : undefined;
      return renderStatus(await status(context, args.hosts, options, stream), context, stream);
    }
    const { watch } = await loadMonitor();
    await watch(async () => renderStatus(await status(context, args.hosts, options), context).text, {
      store: storeOf(context),
      runtime: context.runtime,
      ending: [...(context.global.json ? ['--json'] : []), ...(options.check ? ['--check'] : [])],
    });
    return { exit: 130, result: undefined, text: '' };
  },
});

type StatusOptions = SelectionOptions &
  RunOptions & {
    readonly offline: boolean;
    readonly noSsh: boolean;
    /** Milliseconds. */
    readonly within?: number | undefined;
    readonly prometheus?: string | undefined;
  };

type Status = {
  readonly rows: readonly StatusRow[];
  /** Hosts that were set up from another store. */
  readonly reached: readonly ReachedHost[];
  readonly others: ReachedHosts | undefined;
  readonly remarks: readonly StoreRemark[];
  /** Named hosts that are not in the store, and clients of the fleet file. */
  readonly missing: readonly string[];
  readonly missingClients: readonly string[];
  /** The hosts that arguments or --limit choose. */
  readonly named: ReadonlySet<string>;
};

async function status(
  context: ActionContext,
  hosts: readonly string[],
  options: StatusOptions,
  shown?: RowsShown,
): Promise<Status> {
  const { global, runtime, progress, prompts } = context;
  const { prometheus, within, offline } = options;
  const metrics =
    prometheus === undefined ? undefined : { runtime, global, out: resolve(runtime.cwd, prometheus), replace: true };
  if (metrics !== undefined) checkOut(metrics, false);
  const stored = await storeOf(context).read();
  const byName = hosts.length + options.limit.length > 0;
  const chosen = byName || [global.file, options.inventory, options.shard].some(Boolean);
  const others = await REACHED_HOSTS.all[0]?.load();
  const foreign = new Set(others?.knownReached(stored, new Set(hosts)).map(({ name }) => name));
  const own = chosen ? hosts.filter((name) => !foreign.has(name)) : [];
  const selection: HostsOfFile =
    chosen && (own.length > 0 || hosts.length === 0)
      ? await selectSpecs(context, own, options, stored, undefined)
      : { specs: [], secrets: {} };
  const names = new Set(selection.specs.map(({ name }) => name));
  const state = chosen ? { ...stored, hosts: new Map([...stored.hosts].filter(([name]) => names.has(name))) } : stored;
  const ssh = !offline && !options.noSsh;
  const passwords = ssh ? await sudoPasswords(options, selection, context) : {};
  const known = accessDrift(state, runtime.now());
  const due = { now: runtime.now(), withinDays: within && within / 86_400_000 };
  shown?.begin(statusRows(state, new Map(), due));
  const accepted = acceptance(state, due.now);
  const onHost = (name: string, answer: LiveRow): void =>
    shown?.row(hostRow(state.hosts.get(name) as StoredHost, answer, due, accepted));
  const asking = { runtime, progress, ask: prompts.ssh && noticing(prompts.ssh, shown), parallel: global.parallel };
  const live: ReadonlyMap<string, LiveRow> = offline
    ? new Map([...known].map(([name, drift]) => [name, { drift }]))
    : await askHosts({ ...asking, ssh, specs: selection.specs, known, onHost, ...passwords }, state);
  const beyond = chosen ? new Set(hosts.filter((name) => foreign.has(name))) : foreign;
  const reached: Reached =
    others === undefined || beyond.size === 0
      ? { hosts: [] }
      : offline
        ? { hosts: others.knownReached(state, beyond) }
        : await others.askReached(asking, state, beyond);
  // The state of hosts not contacted after an interruption is unknown.
  if (runtime.signal.aborted) throw interrupted('interrupted before every host had answered');
  const drift = selection.clients?.drift(stored, due.now);
  const rows = statusRows(state, live, due, reached.clients).map((row) => drift?.marked(row) ?? row);
  // node_exporter may read the file at any moment, so it is replaced atomically.
  if (metrics !== undefined) await writeOut({ ...metrics, data: (await loadMonitor()).metrics(rows, runtime.now()) });
  const missing = [...names].filter((name) => !stored.hosts.has(name));
  const remarks = await remarksOn(stored, runtime.now());
  return {
    ...{ rows, reached: reached.hosts, others, remarks, missing, missingClients: drift?.missing ?? [] },
    named: byName ? names : new Set(),
  };
}

function renderStatus(
  { rows, reached, others, remarks, missing, missingClients, named }: Status,
  {
    runtime: { io },
    global,
    options,
  }: RenderContext & {
    readonly options: { readonly check: boolean };
  },
  streamed?: StatusStream,
): CommandResult<StatusDocument> {
  const attention = rows.filter(needsAttention).length + missing.length + missingClients.length;
  const planned = missing.length + missingClients.length > 0 || rows.some(({ differs }) => differs);
  const nothing = rows.length === 0 && missing.length + missingClients.length === 0;
  const colours = coloursOf(io);
  const table = rows.length === 0 ? [] : [streamed?.end(rows) ?? renderStatusTable(rows, colours, tableWidth(io))];
  const text = nothing
    ? 'Nothing is set up yet. Begin with:'
    : [
        ...table.map(
          (lines) => `${lines}\n${renderFound(rows, { attention, colours, columns: tableWidth(io), remarks })}`,
        ),
        ...(others?.renderReached(reached, colours, tableWidth(io)) ?? []),
        ...rows.flatMap((row) => (named.has(row.name) ? renderAccepted(row, colours, tableWidth(io)) : [])),
        ...(missing.length > 0 ? [`not set up yet: ${listWords(missing, 12)}`] : []),
        ...(missingClients.length > 0 ? [`clients not issued yet: ${listWords(missingClients, 12)}`] : []),
      ].join('\n\n');
  return {
    exit: options.check && attention > 0 ? 3 : 0,
    result: {
      rows: rows.map(statusRowDocument),
      reached: reached.length > 0 ? reached.map(reachedDocument) : undefined,
      attention,
      missing: missing.length > 0 ? missing : undefined,
      missingClients: missingClients.length > 0 ? missingClients : undefined,
    },
    text,
    attention: attention === 0 ? '' : text,
    next: nothing
      ? [`docker-tls setup${WIZARD.all.length > 0 ? '' : ' USER@HOST'}`]
      : [
          ...new Set([
            ...waysOn(rows, remarks, global.file),
            ...(global.file !== undefined && planned ? [`docker-tls plan -f ${shellQuote(global.file)}`] : []),
            ...reached.flatMap((host) => others?.waysOnReached(host) ?? []),
          ]),
        ],
  };
}

/** Differences and pending upgrades, below the table. */
function renderFound(
  rows: readonly StatusRow[],
  {
    attention,
    colours,
    columns,
    remarks,
  }: Pick<StatusDocument, 'attention'> & {
    readonly colours: Colours;
    readonly columns: number | undefined;
    readonly remarks: readonly StoreRemark[];
  },
): string {
  // The table cuts this column to the terminal's width; the problems of a host are printed in full below.
  const found = rows.flatMap((row) => foundOf(row).map((text) => `${row.name}: ${text}`));
  const texts = new Set(rows.flatMap(({ upgrade }) => upgrade?.text ?? []));
  const upgrades = [...texts].map((text) => {
    const hosts = rows.filter(({ upgrade }) => upgrade?.text === text).map(({ name }) => name);
    return hangText(printable(`${listWords(hosts, 5)}: ${text}`), columns, 2);
  });
  return [
    ...(found.length > 0 ? [...found.map((line) => colours.red(hangText(line, columns, 2))), ''] : []),
    ...upgrades,
    ...rows.flatMap(({ name, otherCas = [] }) =>
      otherCas.map((ca) => hangText(printable(`${name}: accepts ${otherCaWords(ca)}`), columns, 2)),
    ),
    ...remarks.map(({ words }) => words),
    attention === 0
      ? upgrades.length > 0
        ? 'Nothing is due, and nothing differs.'
        : 'All is well.'
      : `${plural(attention, 'entry needs', 'entries need')} attention.`,
  ].join('\n');
}
