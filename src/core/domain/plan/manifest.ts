/** Manifest of a transaction: each path to install, and the source of its content. */

import { createHash } from 'node:crypto';
import type { EntrySource } from '../../host/protocol.ts';
import { editDaemonJson } from '../dockerd/daemon-json.ts';
import { type Places, SERVER_FILES } from '../dockerd/paths.ts';
import { Secret } from '../secret.ts';
import { PARTS } from './change-parts.ts';
import type { Credentials } from './desired.ts';
import { type HostFacts, realPath } from './facts.ts';
import { type FileChange, textFile } from './file-change.ts';
import type { HostPlan } from './plan-host.ts';

export type ManifestEntry = {
  /** `blob`: a new file in a directory of credentials. */
  readonly kind: 'blob' | FileChange['kind'];
  readonly path: string;
  readonly mode: string;
  readonly owner: string;
  readonly source: EntrySource;
  /** `data` goes to standard input; `text` travels in the script. */
  readonly data?: Uint8Array | Secret;
  readonly text?: string;
};

/** Files of a generation. */
export function credentialEntries(
  plan: HostPlan,
  { ca, cert, key }: Credentials,
  { tls, current }: Places,
): ManifestEntry[] {
  const directory = `${tls}/${plan.generation}`;
  const file = { kind: 'blob', owner: '0:0' } as const;
  const there = key.kind === 'host' ? key.path : `${current}/${SERVER_FILES.key}`;
  return [
    { ...file, path: `${directory}/${SERVER_FILES.ca}`, mode: '0444', ...sent(ca) },
    { ...file, path: `${directory}/${SERVER_FILES.cert}`, mode: '0444', ...sent(cert) },
    {
      ...file,
      path: `${directory}/${SERVER_FILES.key}`,
      mode: '0400',
      ...(key.kind === 'send' ? sent(key.key) : { source: `copy:${checkPath(there)}` as const }),
    },
    ...PARTS.flatMap(({ credentials }) => credentials?.(plan, ca) ?? []).map(
      ({ name, ...content }): ManifestEntry => ({
        ...{ ...file, path: `${directory}/${name}` },
        ...('to' in content
          ? { mode: '0777', source: `to:${content.to}` as const }
          : { mode: '0444', ...sent(content.text) }),
      }),
    ),
  ];
}

/** Secrets never go into a script, and a script cannot contain NUL. */
function sent(content: string | Secret): Pick<ManifestEntry, 'source' | 'data' | 'text'> {
  if (typeof content === 'string' && !content.includes('\0'))
    return { source: `data:${sha256(content)}`, text: content };
  const data = content instanceof Secret ? content : bytes(content);
  const raw = data instanceof Secret ? data.reveal() : data;
  return { source: `stdin:${raw.length}:${sha256(raw)}`, data };
}

export function sha256(data: string | Uint8Array): string {
  return createHash('sha256').update(data).digest('hex');
}

/** Files of the plan; `protect`: daemon.json is rewritten during the restart. */
export function fileEntries(plan: HostPlan, protect: boolean): ManifestEntry[] {
  const entries = plan.files.map(fileEntry);
  const { path } = plan.daemonJson;
  if (!protect || entries.some((entry) => entry.path === path)) return entries;
  // The file is not ours: after the restart it is the same file again, so no original is kept.
  return [...entries, { kind: 'file', path, mode: '-', owner: '-', source: 'same' }];
}

function fileEntry(change: FileChange): ManifestEntry {
  const { kind, path, mode, owner } = change;
  if (kind === 'file' && change.copy !== undefined)
    return { kind, path, mode, owner, source: `snap:${checkPath(change.copy)}` };
  if (kind === 'file') return { kind, path, mode, owner, ...sent(change.after ?? '') };
  if (kind === 'link') return { kind, path, mode, owner, source: `to:${checkPath(change.to ?? '')}` };
  return { kind, path, mode, owner, source: '-' };
}

type JsonForm = { readonly suffix: string; readonly text: string; readonly mode: string; readonly owner: string };

/** daemon.json with live-restore on and off, before and after the change, for the restart; with the mode of the file itself. */
export function daemonJsonForms(plan: HostPlan, facts: HostFacts): JsonForm[] {
  const { path, before, after } = plan.daemonJson;
  const now = facts.files.get(realPath(facts, path));
  const old = now?.kind === 'file' ? textFile(path, '', now.mode.padStart(4, '0'), now.owner) : textFile(path, '');
  const next = plan.files.find((change) => change.path === path && change.kind === 'file') ?? old;
  const switched = (content: string | undefined) => ({
    on: editDaemonJson(content, { 'live-restore': true }),
    off: editDaemonJson(content, { 'live-restore': false }),
  });
  const texts = switched(before);
  return [
    { side: 'old', texts, mode: old.mode, owner: old.owner },
    { side: 'new', texts: after === before ? texts : switched(after), mode: next.mode, owner: next.owner },
  ].flatMap(({ side, texts, mode, owner }) =>
    (['on', 'off'] as const).map((how) => ({ suffix: `${side}-${how}`, text: texts[how], mode, owner })),
  );
}

/** Checks a path for the manifest: absolute or a plain link target, without tabs or newlines. */
export function checkPath(path: string): string {
  if (/[\t\n\0]/.test(path) || path === '') throw new TypeError(`not a path for a manifest: ${JSON.stringify(path)}`);
  return path;
}

export function renderManifest(entries: readonly ManifestEntry[]): string {
  const lines = entries.map(({ kind, mode, owner, source, path }, index) =>
    [index + 1, kind, mode, owner, source, checkPath(path)].join('\t'),
  );
  return `${lines.join('\n')}\n`;
}

function bytes(value: string): Buffer {
  return Buffer.from(value, 'utf8');
}
