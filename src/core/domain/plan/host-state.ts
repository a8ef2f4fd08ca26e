/** Parser of the host's records: state.json, and the snapshots for rollbacks and `remove`. */

import * as z from 'zod/mini';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { fieldsOf, parseJson } from '../json.ts';
import type { KeptSettings } from '../settings.ts';
import { readKept, writeKept } from '../settings-stored.ts';
import { count } from '../values.ts';
import type { PathState } from './host-files.ts';

/** One line of a snapshot on the host: the former state of a path, and the snapshot file with its content. */
export type SnapshotEntry = {
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
  /** Absolute path of the copy on the host. */
  readonly copy: string;
  readonly content?: string;
  readonly to?: string;
};

/** Schema version of this program; a higher number on a host comes from a newer one. */
const SCHEMA = 1;

const number = count(0, Number.MAX_SAFE_INTEGER);
const newerState = z.object({ schema: count(SCHEMA + 1, Number.MAX_SAFE_INTEGER) });
/** The host's settings at the time of a generation; absent if unreadable. */
const settings = z.codec(z.unknown(), z.custom<KeptSettings | undefined>(), {
  decode: readKept,
  encode: (kept) => kept && writeKept(kept),
});
/**
 * The revision of the shared store from which the host was last changed: the store's ID, the number of the signed list, and the hash that the
 * engine gives this revision. It covers the list and the whole history before it.
 */
export const storeMark = z.readonly(
  z.object({ id: z.string(), number, hash: z.string().check(z.regex(/^[0-9a-f][0-9a-f-]{7,99}$/)) }),
);
/** One generation. Times are ISO 8601. */
const generation = z.object({
  number,
  at: z.string(),
  by: z.string(),
  reason: z.string(),
  settings: z.optional(settings),
});
const hostState = z.readonly(
  z.object({
    schema: z.literal(SCHEMA),
    /** Name in the store that last changed the host. */
    name: z.string(),
    generation: number,
    /** All managed paths, in the order of installation. */
    managed: z.readonly(z.array(z.readonly(z.object({ kind: z.string(), path: z.string() })))),
    /** Absent if the store was a directory. */
    store: z.optional(storeMark),
    generations: z.readonly(z.array(z.readonly(generation))),
  }),
);

/** The host's records, /var/lib/docker-tls/state.json. */
export type HostState = z.output<typeof hostState>;
export type StoreMark = z.output<typeof storeMark>;

/** The settings that the host has kept with its present generation. */
export function settingsNow(state: HostState | undefined): KeptSettings | undefined {
  return state?.generations.find(({ number }) => number === state.generation)?.settings;
}

/**
 * Parses state.json, which is at `path`; undefined if it does not exist. Fails with E_HOST_SCHEMA for a newer program's file, E_HOST_STATE
 * for a damaged one (exit 4).
 */
export function parseState(path: string, state: PathState | undefined): HostState | undefined {
  if (state === undefined || state.kind === 'absent') return undefined;
  if (state.kind !== 'file')
    throw new DockerTlsError('E_HOST_STATE', 'state.json on the host is not a file of at most 1 MiB', {
      hints: [`look at it on the host: ls -ld ${path}`],
    });
  const value = fieldsOf(parseJson(state.content));
  const newer = z.safeParse(newerState, value);
  if (newer.success) {
    throw new DockerTlsError(
      'E_HOST_SCHEMA',
      `the host was changed by a newer docker-tls (schema ${newer.data.schema}; this one knows up to ${SCHEMA})`,
      { hints: ['install the newer docker-tls on this computer; the installed one: docker-tls version'] },
    );
  }
  const read = z.safeParse(hostState, value);
  if (read.success) return read.data;
  throw new DockerTlsError('E_HOST_STATE', `state.json on the host is damaged`, {
    hints: [`look at it on the host: cat ${path}`],
  });
}

/** Text of state.json. */
export function renderState(state: HostState): string {
  return `${JSON.stringify(z.encode(hostState, state), undefined, 2)}\n`;
}

export function parseSnapshot(
  files: ReadonlyMap<string, PathState>,
  directory: string,
  ownerOf: (owner: string) => string,
): Map<string, SnapshotEntry> {
  const entries = new Map<string, SnapshotEntry>();
  const manifest = files.get(`${directory}/manifest`);
  if (manifest?.kind !== 'file') return entries;
  for (const line of manifest.content.split('\n')) {
    const [index, kind, mode, owner, ...rest] = line.split('\t');
    if (index === undefined || kind === undefined || mode === undefined || owner === undefined || rest.length === 0)
      continue;
    const copy = `${directory}/${index}`;
    const state = files.get(copy);
    entries.set(rest.join('\t'), {
      kind,
      mode,
      owner: ownerOf(owner),
      path: rest.join('\t'),
      copy,
      content: state?.kind === 'file' ? state.content : undefined,
      to: state?.kind === 'link' ? state.to : undefined,
    });
  }
  return entries;
}

export function parseGenerations(
  files: ReadonlyMap<string, PathState>,
  state: string,
  ownerOf: (owner: string) => string,
): Map<number, Map<string, SnapshotEntry>> {
  const generations = new Map<number, Map<string, SnapshotEntry>>();
  for (const path of files.keys()) {
    const [, number] =
      /^\/generations\/(\d+)\/manifest$/.exec(path.startsWith(state) ? path.slice(state.length) : '') ?? [];
    if (number !== undefined)
      generations.set(Number(number), parseSnapshot(files, `${state}/generations/${number}`, ownerOf));
  }
  return generations;
}

/** Time from a host, to the second. */
export function timeOfHost(at: unknown): string {
  return printable(String(at), 40).replace(/\.\d+Z$/, 'Z');
}
