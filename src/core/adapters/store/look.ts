/**
 * Quick read of one host and its clients from a store in a directory, for callers that must answer at once: without schemas and without
 * parsing certificates. It returns nothing if anything looks unusual (an unfinished change, a mode, a link, a value); the full read then
 * reports the problem. It skips directories that it does not need.
 */

import {
  closeSync,
  constants,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { nameProblem } from '../../domain/names.ts';
import { Secret } from '../../domain/secret.ts';
import { type FileKind, isForeign, openTo } from './modes.ts';
import type { StoreState } from './records.ts';
import { certificateBlocks, keyProblem } from './store-pem.ts';

/** Checked fields of the records, which are those in use: name, address, port, `clients`; `hosts`, `revokedAt`, `own`, `reaches`. */
type StoreLook = Pick<StoreState, 'hosts' | 'clients'>;

/** Far more than any file of a store (tree.ts). */
const LARGEST_FILE = 1024 * 1024;

/** The only layout that it supports (read.ts); a shared store has an address in the same file. */
const PLAIN = { schema: 1, store: undefined };

class Unsure extends Error {}

/** The host (absent: the only one) and all clients of the store at `home`; undefined if uncertain. */
export function lookAt(home: string, host: string | undefined): StoreLook | undefined {
  return surely(home, () => ({
    hosts: new Map(hostNames(home, host).map((name) => [name, readHost(home, name) as never])),
    clients: new Map(namesIn(home, 'clients').map((name) => [name, readClient(home, name) as never])),
  }));
}

/** The names of clients, or of hosts that this machine can reach. */
export function namesAt(home: string, kind: 'host' | 'client'): readonly string[] | undefined {
  if (!existsSync(home)) return [];
  return surely(home, () => {
    const clients = namesIn(home, 'clients');
    if (kind === 'client') return clients;
    const brought = clients.flatMap((name) => readClient(home, name).record.reaches ?? []).map(({ name }) => name);
    return [...new Set([...brought, ...namesIn(home, 'hosts')])];
  });
}

/** A run that changes the store creates `.change` or `.undo` in it, and so changes the directory's time. */
function surely<T>(home: string, read: () => T): T | undefined {
  try {
    const before = signature(home);
    const { schema, store } = record(join(home, 'store.json'));
    if (schema !== PLAIN.schema || store !== PLAIN.store) return undefined;
    const found = read();
    return signature(home) === before ? found : undefined;
  } catch {
    return undefined;
  }
}

function signature(home: string): string {
  const stats = statSync(home);
  checked(stats, 'directory');
  const hidden = readdirSync(home).filter((name) => name.startsWith('.'));
  if (hidden.some((name) => name === '.change' || name === '.undo')) throw new Unsure();
  return `${stats.ctimeMs} ${hidden.join(' ')}`;
}

function hostNames(home: string, host: string | undefined): string[] {
  if (host === undefined) {
    const names = namesIn(home, 'hosts');
    sure(names.length <= 1);
    return names;
  }
  sure(nameProblem(host) === undefined);
  const found = isThere(join(home, 'hosts')) && lstatSync(join(home, 'hosts', host), { throwIfNoEntry: false });
  return found ? [host] : [];
}

/** True if the collection exists and is our own directory. */
function isThere(at: string): boolean {
  const stats = lstatSync(at, { throwIfNoEntry: false });
  if (stats !== undefined) checked(stats, 'directory');
  return stats !== undefined;
}

function namesIn(home: string, collection: 'hosts' | 'clients'): string[] {
  const at = join(home, collection);
  if (!isThere(at)) return [];
  const entries = readdirSync(at, { withFileTypes: true }).filter(({ name }) => !name.startsWith('.'));
  sure(entries.every((entry) => !entry.isSymbolicLink()));
  const names = entries.filter((entry) => entry.isDirectory()).map(({ name }) => name);
  sure(names.every((name) => nameProblem(name) === undefined));
  return names.sort();
}

function readHost(home: string, name: string) {
  const directory = join(home, 'hosts', name);
  checked(lstatSync(directory), 'directory');
  const found = record(join(directory, 'host.json'));
  sure(found.name === name && isPlace(found) && isListOrAbsent(found.clients) && isTextOrAbsent(found.reach));
  sure(isListOrAbsent(found.listen));
  certificate(join(directory, 'ca.pem'));
  // Not read, because nothing needs its contents.
  const key = lstatSync(join(directory, 'server-key.pem'), { throwIfNoEntry: false });
  if (key !== undefined) checked(key, 'key');
  return { record: found, serverCert: certificate(join(directory, 'server-cert.pem')) };
}

function readClient(home: string, name: string) {
  const directory = join(home, 'clients', name);
  checked(lstatSync(directory), 'directory');
  const found = record(join(directory, 'client.json'));
  const { reaches = [] } = found;
  sure(found.name === name && isListOrAbsent(found.hosts) && isTextOrAbsent(found.revokedAt));
  sure(Array.isArray(reaches) && reaches.every((one) => typeof one?.name === 'string' && isPlace(one)));
  for (const file of ['ca.pem', 'cert.pem']) certificate(join(directory, file));
  const at = join(directory, 'key.pem');
  const key = lstatSync(at, { throwIfNoEntry: false }) === undefined ? undefined : new Secret(textOf(at, 'key'));
  sure(key === undefined || keyProblem(key.revealText()) === undefined);
  return { record: found as { reaches?: { name: string }[] }, key, directory };
}

function isPlace({ address, port }: Readonly<Record<string, unknown>>): boolean {
  return typeof address === 'string' && address !== '' && Number.isInteger(port);
}

function isListOrAbsent(value: unknown): boolean {
  return value === undefined || (Array.isArray(value) && value.every((one) => typeof one === 'string'));
}

function isTextOrAbsent(value: unknown): boolean {
  return value === undefined || typeof value === 'string';
}

function record(at: string): Readonly<Record<string, unknown>> {
  const value: unknown = JSON.parse(textOf(at, 'record'));
  sure(typeof value === 'object' && value !== null && !Array.isArray(value));
  return value as Readonly<Record<string, unknown>>;
}

function certificate(at: string): string {
  const text = textOf(at, 'certificate');
  sure(typeof certificateBlocks(text) !== 'string');
  return text;
}

function textOf(at: string, kind: FileKind): string {
  // Does not follow a link or wait for the other end of a pipe.
  const fd = openSync(at, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
  try {
    const stats = fstatSync(fd);
    sure(stats.isFile() && stats.size <= LARGEST_FILE);
    checked(stats, kind);
    return readFileSync(fd, 'utf8');
  } finally {
    closeSync(fd);
  }
}

function checked(stats: Parameters<typeof openTo>[0], kind: FileKind | 'directory'): void {
  sure(kind !== 'directory' || stats.isDirectory());
  sure(!isForeign(stats) && openTo(stats, kind) === undefined);
}

function sure(right: boolean): void {
  if (!right) throw new Unsure();
}
