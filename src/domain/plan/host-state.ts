/** Owns the reading of the host's own records: state.json, and the snapshots that rollbacks and `remove` go back to. */

import { DockerTlsError } from '../../errors/errors.ts';
import { STATE } from '../dockerd/paths.ts';
import type { HostGeneration, HostState, SnapshotEntry } from './facts.ts';
import type { PathState } from './host-files.ts';
import { parseHostSettings } from './host-settings.ts';
import { parseJson } from './lenient.ts';

export function parseState(state: PathState | undefined): HostState | undefined {
  if (state?.kind !== 'file') return undefined;
  const value = parseJson(state.content);
  if (value.schema !== 1 || typeof value.generation !== 'number' || !Array.isArray(value.managed)) {
    throw new DockerTlsError({
      code: 'E_HOST_STATE',
      exit: 4,
      message: `${STATE}/state.json on the host is damaged or of a newer docker-tls`,
      hints: [`look at it on the host: cat ${STATE}/state.json`],
    });
  }
  return {
    schema: 1,
    name: String(value.name ?? ''),
    generation: value.generation,
    generations: Array.isArray(value.generations) ? value.generations.map(parseGeneration) : [],
    managed: value.managed as HostState['managed'],
  };
}

function parseGeneration(value: Partial<Record<keyof HostGeneration, unknown>> | null): HostGeneration {
  const { number, at, by, reason, requested } = value ?? {};
  const known = parseHostSettings(requested);
  return {
    number: Number(number),
    at: String(at ?? ''),
    by: String(by ?? ''),
    reason: String(reason ?? ''),
    ...(known ? { requested: known } : {}),
  };
}

export function parseSnapshot(files: ReadonlyMap<string, PathState>, directory: string): Map<string, SnapshotEntry> {
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
      owner,
      path: rest.join('\t'),
      copy,
      ...(state?.kind === 'file' ? { content: state.content } : {}),
      ...(state?.kind === 'link' ? { to: state.to } : {}),
    });
  }
  return entries;
}

export function parseGenerations(files: ReadonlyMap<string, PathState>): Map<number, Map<string, SnapshotEntry>> {
  const generations = new Map<number, Map<string, SnapshotEntry>>();
  for (const path of files.keys()) {
    const match = new RegExp(`^${STATE}/generations/(\\d+)/manifest$`).exec(path);
    if (match) generations.set(Number(match[1]), parseSnapshot(files, `${STATE}/generations/${match[1]}`));
  }
  return generations;
}
