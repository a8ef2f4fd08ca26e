/**
 * Butane files for hosts that are configured at first boot (Fedora CoreOS, Flatcar): the plan's result on the host, including docker-tls'
 * records. A later `plan` then finds nothing to do. Without keys and certificates: butane reads those from the store by name below
 * `--files-dir`. https://coreos.github.io/butane/config-fcos-v1_5/ and https://coreos.github.io/butane/config-flatcar-v1_1/
 */

import { Document, isMap, isScalar, Scalar, visit } from 'yaml';
import {
  CURRENT_LINK,
  DROP_IN_DIRECTORY,
  SERVER_FILES,
  STATE,
  TLS_DIRECTORY,
} from '../../../core/domain/dockerd/paths.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { bySnapshot, type FileChange, isFileKind, link, textFile } from '../../../core/domain/plan/file-change.ts';
import type { PathState } from '../../../core/domain/plan/host-files.ts';
import { type HostState, renderState } from '../../../core/domain/plan/host-state.ts';
import { type HostPlan, hasChanges } from '../../../core/domain/plan/plan-host.ts';
import { nextState, type TransactionOptions } from '../../../core/domain/plan/transaction.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';

/** Both produce Ignition 3.4.0, supported by images since 2023. */
const VARIANTS = {
  fcos: { variant: 'fcos', version: '1.5.0' },
  flatcar: { variant: 'flatcar', version: '1.1.0' },
} as const;

type FileEntry = {
  readonly path: string;
  readonly mode: number;
  readonly overwrite: true;
  readonly contents: { readonly inline: string } | { readonly local: string };
  readonly user?: { readonly id: number };
  readonly group?: { readonly id: number };
};
type LinkEntry = { readonly path: string; readonly target: string; readonly overwrite: true };
type Tree = { directories: { path: string; mode: number }[]; files: FileEntry[]; links: LinkEntry[] };

export type ButaneOptions = Pick<TransactionOptions, 'who' | 'now' | 'reason' | 'settings' | 'keep'> & {
  /** Absolute path of the store: butane's `--files-dir`. */
  readonly filesDirectory: string;
};

/** Fails with E_BUTANE (exit 2) for kinds of hosts, or keys that never leave their host, that Butane cannot express. */
export function renderButane(planned: HostPlan, facts: HostFacts, options: ButaneOptions): string {
  // For a host in sync, exactly the host's list.
  const managed = hasChanges(planned) ? planned.managed : (facts.state?.managed ?? planned.managed);
  const plan = { ...planned, managed };
  const { host, generation } = plan;
  if (plan.kind !== 'systemd')
    throw refusal(host, `it starts dockerd by ${plan.kind}, and Ignition configures hosts with systemd`);
  if (generation === 'none') throw refusal(host, 'the plan takes docker-tls away');
  if (options.settings.keys === 'host')
    throw refusal(host, 'its key was made on the host and never leaves it', `docker-tls setup ${host} --keys store`);
  const lost = withoutText(plan, facts);
  if (lost !== undefined) throw refusal(host, `${printable(lost)} is not a text file of at most 1 MiB`);
  const tree: Tree = { directories: [], files: [], links: [] };
  const credentials = `${TLS_DIRECTORY}/${generation}`;
  for (const path of [
    credentials,
    STATE,
    `${STATE}/origin`,
    `${STATE}/generations`,
    `${STATE}/generations/${generation}`,
  ])
    tree.directories.push({ path, mode: 0o700 });
  for (const [name, mode] of [
    [SERVER_FILES.ca, 0o444],
    [SERVER_FILES.cert, 0o444],
    [SERVER_FILES.key, 0o400],
  ] as const)
    tree.files.push({
      path: `${credentials}/${name}`,
      mode,
      overwrite: true,
      contents: { local: `hosts/${host}/${name}` },
    });
  const kept: string[] = [];
  plan.managed.forEach(({ kind, path }, index) => {
    if (!isFileKind(kind)) return;
    const change = afterwards(path, plan, facts);
    place(tree, path, change);
    kept.push(snapshot(tree, `${STATE}/generations/${generation}`, index + 1, path, change));
  });
  record(tree, `${STATE}/generations/${generation}/manifest`, kept);
  placeOrigin(tree, plan, facts);
  const created = [TLS_DIRECTORY, credentials, DROP_IN_DIRECTORY];
  record(tree, `${STATE}/created`, created);
  record(tree, `${STATE}/state.json`, [renderState(stateOf(plan, facts, options)).trimEnd()]);
  return yaml(VARIANTS[facts.image ?? 'fcos'], tree, comment(plan, options));
}

/** A path with incomplete or non-UTF-8 content: `docker-tls remove` would restore something else. */
function withoutText({ managed }: HostPlan, { files, origin }: HostFacts): string | undefined {
  const isLost = (content: string | undefined) => content === undefined || content.includes('\ufffd');
  const now = managed.find(({ kind, path }) => {
    const state = files.get(path);
    if (!isFileKind(kind)) return false;
    return state?.kind === 'other' || (state?.kind === 'file' && isLost(state.content));
  });
  return now?.path ?? [...origin.values()].find(({ kind, content }) => kind === 'file' && isLost(content))?.path;
}

/** The host's records with only this generation: earlier ones are not included. */
function stateOf(plan: HostPlan, facts: HostFacts, options: ButaneOptions): HostState {
  const next = nextState(plan, facts, options);
  const [first] = next.generations.filter(({ number }) => number === plan.generation);
  return { ...next, generations: first === undefined ? [] : [first] };
}

/** State of a path after the plan. */
function afterwards(path: string, plan: HostPlan, facts: HostFacts): FileChange {
  const changed = plan.files.find((change) => change.path === path);
  if (changed !== undefined) return changed;
  if (path === CURRENT_LINK) return link(path, `${plan.generation}`);
  return ofState(path, facts.files.get(path));
}

function ofState(path: string, now: PathState | undefined): FileChange {
  if (now?.kind === 'link') return link(path, now.to);
  if (now?.kind !== 'file') return bySnapshot(undefined, path);
  return textFile(path, now.content, now.mode.padStart(4, '0'), now.owner);
}

function place({ files, links }: Tree, path: string, change: FileChange): void {
  if (change.kind === 'link') links.push({ path, target: change.to ?? '', overwrite: true });
  if (change.kind !== 'file') return;
  const [user, group] = change.owner.split(':').map(Number);
  const owner = user === 0 && group === 0 ? {} : { user: { id: user ?? 0 }, group: { id: group ?? 0 } };
  const mode = Number.parseInt(change.mode, 8);
  files.push({ path, mode, overwrite: true, contents: { inline: change.after ?? '' }, ...owner });
}

/** A path in the format of the host scripts (snapshot_path in src/core/host/rollback/restore.sh): a manifest line and a copy. */
function snapshot(tree: Tree, directory: string, index: number, path: string, change: FileChange): string {
  place(tree, `${directory}/${index}`, change);
  const about = { file: `file\t${change.mode.replace(/^0+(?=.)/, '')}\t${change.owner}`, link: 'link\t777\t0:0' };
  return `${index}\t${change.kind === 'file' || change.kind === 'link' ? about[change.kind] : 'absent\t-\t-'}\t${path}`;
}

/** Original state of the paths: from the host's origin; without one, the present state. */
function placeOrigin(tree: Tree, plan: HostPlan, facts: HostFacts): void {
  const directory = `${STATE}/origin`;
  const before = facts.files.get(`${directory}/manifest`);
  const was = (service: { readonly active: string }) => (service.active === 'active' ? 'active' : 'inactive');
  const lines =
    before?.kind === 'file'
      ? before.content.replace(/\n$/, '').split('\n')
      : [
          `0\tunit\t${was(facts.docker.unit)}\t-\tdocker.service`,
          `0\tunit\t${was(facts.docker.socket)}\t-\tdocker.socket`,
        ];
  for (const entry of facts.origin.values())
    if (entry.kind === 'file' || entry.kind === 'link') place(tree, entry.copy, bySnapshot(entry, entry.path));
  for (const { kind, path } of plan.managed) {
    if (!isFileKind(kind) || facts.origin.has(path)) continue;
    lines.push(snapshot(tree, directory, lines.length + 1, path, ofState(path, facts.files.get(path))));
  }
  record(tree, `${directory}/manifest`, lines);
}

function record({ files }: Tree, path: string, lines: readonly string[]): void {
  files.push({ path, mode: 0o600, overwrite: true, contents: { inline: `${lines.join('\n')}\n` } });
}

function comment({ host, managed }: HostPlan, { filesDirectory }: ButaneOptions): string {
  const left = managed.filter(({ kind }) => kind === 'attributes' || kind === 'member').map(({ path }) => path);
  const command = ['butane', '--strict', '--files-dir', filesDirectory, `${host}.bu`].map(shellQuote).join(' ');
  return [
    ` Files of docker-tls on ${host} for its first boot. Its key, certificate and trust file come from the store:`,
    `   (umask 077; ${command} > ${shellQuote(`${host}.ign`)})`,
    ' That Ignition file holds the private key: keep it as secret as the key.',
    ...(left.length === 0
      ? []
      : [
          ` Not included, and made by \`docker-tls apply ${host}\` once it runs: ${left.map((path) => printable(path)).join(', ')}`,
        ]),
  ].join('\n');
}

/** Octal modes, as in butane's examples. */
function yaml(head: { readonly variant: string; readonly version: string }, tree: Tree, text: string): string {
  const document = new Document({ ...head, storage: tree }, { version: '1.1' });
  document.commentBefore = text;
  visit(document, {
    Pair(_, { key, value }) {
      if (isScalar(key) && key.value === 'mode' && isScalar(value)) value.format = 'OCT';
      if (isScalar(key) && key.value === 'inline' && isScalar(value)) value.type = Scalar.BLOCK_LITERAL;
      if (isScalar(key) && (key.value === 'user' || key.value === 'group') && isMap(value)) value.flow = true;
    },
  });
  return document.toString({ lineWidth: 0 });
}

function refusal(host: string, why: string, hint?: string): DockerTlsError {
  return new DockerTlsError('E_BUTANE', `no Butane file: ${why}`, {
    where: host,
    hints: hint === undefined ? [] : [hint],
  });
}
