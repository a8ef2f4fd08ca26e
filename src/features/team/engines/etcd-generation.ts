/**
 * Commits too large for one etcd transaction (128 operations, 1.5 MB). All files of the new snapshot go into a new directory; the head then
 * names it. A directory that no head names is ignored; its marker expires with its creator's lease.
 */

import { base64, type EtcdClient, endOf, type Operation } from './etcd-client.ts';

/** Below a server's default limits. */
const MOST_OPERATIONS = 100;
const MOST_BYTES = 1_400_000;
const LEASE_SECONDS = 60;

export function fits(bytes: number, operations: number): boolean {
  return operations <= MOST_OPERATIONS && bytes <= MOST_BYTES;
}

export type GenerationKeys = ReturnType<typeof generationKeys>;

export function generationKeys(prefix: string) {
  const at = (name: string) => `/${prefix}/${name}`;
  return { head: at('head'), log: at('log/'), making: at('making/'), generations: at('g/') };
}

export function putOperation(key: string, value: Uint8Array | string, lease?: string): Operation {
  return { request_put: { key: base64(key), value: base64(value), lease } };
}

export function removeOperation(key: string, end?: string): Operation {
  return { request_delete_range: { key: base64(key), range_end: end && base64(end) } };
}

export function unchanged(key: string, modRevision: string): object {
  return { key: base64(key), target: 'MOD', result: 'EQUAL', mod_revision: modRevision };
}

export function there(key: string): object {
  return { key: base64(key), target: 'VERSION', result: 'GREATER', version: '0' };
}

/** Writes the files of a generation. False if the marker expired, because the writes took longer than the lease. */
export async function makeGeneration(
  client: EtcdClient,
  keys: GenerationKeys,
  generation: string,
  files: ReadonlyMap<string, Uint8Array>,
): Promise<boolean> {
  const marker = keys.making + generation;
  const lease = String((await client.post('/v3/lease/grant', { TTL: String(LEASE_SECONDS) })).ID);
  await client.txn([], [putOperation(marker, '', lease)]);
  let kept = performance.now();
  for (const chunk of chunksOf(files)) {
    const puts = chunk.map(([path, bytes]) => putOperation(`${keys.generations}${generation}/${path}`, bytes));
    if (!(await client.txn([there(marker)], puts)).succeeded) return false;
    if (performance.now() - kept < (LEASE_SECONDS * 1000) / 4) continue;
    await client.post('/v3/lease/keepalive', { ID: lease });
    kept = performance.now();
  }
  return true;
}

function chunksOf(files: ReadonlyMap<string, Uint8Array>): [string, Uint8Array][][] {
  const chunks: [string, Uint8Array][][] = [];
  let bytes = Number.POSITIVE_INFINITY;
  for (const [path, content] of files) {
    const last = chunks.at(-1);
    if (last === undefined || !fits(bytes + content.length, last.length + 2)) {
      chunks.push([[path, content]]);
      bytes = content.length;
    } else {
      last.push([path, content]);
      bytes += content.length;
    }
  }
  return chunks;
}

/** Deletes generations that neither the head nor a running commit uses: of dead runs, and old ones. */
export async function sweepGenerations(
  client: EtcdClient,
  keys: GenerationKeys,
  { generation, modRevision }: { readonly generation: string; readonly modRevision: string },
): Promise<void> {
  for (let from = keys.generations; ; ) {
    const { kvs } = await client.range(from, endOf(keys.generations), { limit: 1, keys_only: true });
    const name = kvs[0]?.key.slice(keys.generations.length).split('/')[0];
    if (name === undefined) return;
    const directory = `${keys.generations}${name}/`;
    if (name !== generation) {
      const idle = { key: base64(keys.making + name), target: 'VERSION', result: 'EQUAL', version: '0' };
      await client.txn([unchanged(keys.head, modRevision), idle], [removeOperation(directory, endOf(directory))]);
    }
    from = endOf(directory);
  }
}
