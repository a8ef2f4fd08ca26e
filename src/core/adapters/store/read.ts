/** Reading a whole store: its directories, required files, and the schema. Changes nothing. */

import { accessSync, constants, existsSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { DockerTlsError } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { COLLECTIONS } from './journal.ts';
import { CA_FILE, CLIENT_FILE, caDirectoryName, HOST_FILE, type ParseResult, parseObject } from './parse-records.ts';
import type { StoredCa, StoredClient, StoredHost, StoredIssuer, StoredOldCa, StoreState } from './records.ts';
import { inside, nearestPresent } from './store-files.ts';
import { type DirectoryFiles, openTree, type Tree } from './tree.ts';

/** The layout that this program writes; a greater number means a newer program. */
export const SCHEMA = 1;

/** The scope of a read: the whole store, or only the named hosts. */
export type ReadScope = {
  readonly hosts?: readonly string[];
  /** The current state. Otherwise a shared store returns a state read moments ago, or its last copy while it is unreachable. */
  readonly fresh?: boolean;
};

/** Everything in the store at `home`. Fails with E_STORE_MODES, E_STORE_DAMAGED, E_STORE_SCHEMA (all exit 2). */
export function readState(home: string, scope: ReadScope = {}): StoreState {
  const tree = openTree(home);
  if (tree === undefined) return { oldCas: [], issuers: new Map(), hosts: new Map(), clients: new Map() };
  return readTree(home, tree, scope);
}

/** Like readState, for any tree; the directories of clients are below `home`. */
export function readTree(home: string, tree: Tree, { hosts }: ReadScope = {}): StoreState {
  checkSchema(home, tree);
  const state = {
    ca: readCa(home, tree),
    oldCas: [...collect(tree, 'ca/old', undefined, readOldCa(tree)).values()],
    issuers: collect(tree, 'ca/issuers', 'docker-tls client add', readIssuer),
    hosts: collect(tree, 'hosts', 'docker-tls setup USER@HOST --name', readHost(tree), hosts),
    clients: collect(tree, 'clients', 'docker-tls client add', readClient(home, tree)),
  };
  tree.problems.refuse();
  return state;
}

/** The store's revision, another one after each write; empty without a store. Undefined if it has none, or if it cannot be read. */
export function revisionOf(home: string): string | undefined {
  const tree = openTree(home);
  const at = tree?.locate('store.json');
  return tree === undefined || at === undefined ? '' : tree.files(at, []).text('', true, parseRevision);
}

/** True if there is a store; checks nothing else. Fails as readState does. */
export function storeExists(home: string): boolean {
  const tree = openTree(home);
  const found = tree?.locate('store.json') !== undefined;
  tree?.problems.refuse();
  return found;
}

/** The checks before a write: the schema, and the store's own directories. Fails as readState does. */
export function checkStore(home: string): void {
  const tree = openTree(home);
  if (tree === undefined) return;
  checkSchema(home, tree);
  for (const directory of ['ca', ...COLLECTIONS]) tree.checkDirectory(directory);
  tree.problems.refuse();
}

/** Throws the operating system's error if a directory of the store is not writable (created by another user, for instance). */
export function requireWritable(home: string): void {
  accessSync(nearestPresent(home), constants.W_OK | constants.X_OK);
  for (const directory of ['ca', ...COLLECTIONS].map((path) => inside(home, path))) {
    if (!existsSync(directory)) continue;
    const below = directory === inside(home, 'ca') ? [] : readdirSync(directory).map((name) => join(directory, name));
    for (const path of [directory, ...below]) accessSync(path, constants.W_OK);
  }
}

/** Comes first: contents from a newer program are not checked. */
function checkSchema(home: string, tree: Tree): void {
  const restore = [`(umask 077; echo '{"schema":${SCHEMA}}' > ${shellQuote(join(home, 'store.json'))})`];
  const at = tree.locate('store.json');
  if (at === undefined) {
    const found = COLLECTIONS.some((each) => tree.list(each).length > 0) || tree.locate('ca/ca.pem') !== undefined;
    if (found) tree.problems.damage(join(home, 'store.json'), 'is missing', restore);
    return;
  }
  const schema = tree
    .files(at, [`mv ${shellQuote(at)} ${shellQuote(`${at}.damaged`)}`, ...restore])
    .text('', true, parseSchema);
  if (schema === undefined || schema <= SCHEMA) return;
  throw new DockerTlsError(
    'E_STORE_SCHEMA',
    `the store was written by a newer docker-tls (schema ${schema}; this one knows up to ${SCHEMA})`,
    {
      where: at,
      hints: ['install the newer docker-tls on this computer; the installed one: docker-tls version'],
    },
  );
}

function parseRevision(text: string): ParseResult<string> {
  const parsed = parseObject(text);
  const revision = parsed.ok ? parsed.value.revision : undefined;
  return typeof revision === 'string' ? { ok: true, value: revision } : { ok: false, problem: 'names no revision' };
}

function parseSchema(text: string): ParseResult<number> {
  const parsed = parseObject(text);
  if (!parsed.ok) return parsed;
  const { schema } = parsed.value;
  if (typeof schema === 'number' && Number.isSafeInteger(schema) && schema >= 1) return { ok: true, value: schema };
  return { ok: false, problem: 'names no schema' };
}

/** The CA's own three files are next to directories of other entries, so each is located separately. */
function readCa(home: string, tree: Tree): StoredCa | undefined {
  tree.checkDirectory('ca');
  const fix = [
    `restore ${shellQuote(join(home, 'ca'))} from a backup, or set it aside and begin a new CA:`,
    ...tree.aside(join(home, 'ca')),
    'docker-tls ca create',
  ];
  const names = ['ca.pem', 'ca-key.pem', 'ca.json'];
  if (names.every((name) => tree.locate(`ca/${name}`) === undefined)) return undefined;
  function file(name: string): DirectoryFiles {
    return tree.files(tree.locate(`ca/${name}`) ?? inside(home, `ca/${name}`), fix);
  }
  const cert = file('ca.pem').certificate('', true);
  const keyPem = file('ca-key.pem').key('');
  const record = file('ca.json').text('', true, CA_FILE.read);
  return cert === undefined || record === undefined ? undefined : { cert, keyPem, record };
}

/** Parses one directory, or notes its problem and returns undefined. */
type ReadDirectory<T> = (name: string, files: DirectoryFiles, directory: string) => T | undefined;

function collect<T>(
  tree: Tree,
  collection: string,
  remake: string | undefined,
  read: ReadDirectory<T>,
  only?: readonly string[],
): Map<string, T> {
  const found = new Map<string, T>();
  const names = only ?? tree.list(collection);
  for (const name of names) {
    const directory = tree.locate(`${collection}/${name}`);
    if (directory === undefined) continue;
    tree.checkDirectoryAt(directory);
    const value = read(
      name,
      tree.files(directory, [...tree.aside(directory), ...(remake ? [`${remake} ${name}`] : [])]),
      directory,
    );
    if (value !== undefined) found.set(name, value);
  }
  return found;
}

function readOldCa(tree: Tree): ReadDirectory<StoredOldCa> {
  return (serial, files, directory) => {
    const cert = files.certificate('ca.pem', true);
    const keyPem = files.key('ca-key.pem');
    const record = files.text('ca.json', false, CA_FILE.read);
    if (cert === undefined) return undefined;
    const right = caDirectoryName(cert);
    if (right === serial) return { serial, cert, keyPem, record };
    const fix = [`mv ${shellQuote(directory)} ${shellQuote(join(directory, '..', right))}`];
    tree.problems.damage(join(directory, 'ca.pem'), `is the CA ${right}`, fix);
    return undefined;
  };
}

function readIssuer(_name: string, files: DirectoryFiles): StoredIssuer | undefined {
  const cert = files.certificate('ca.pem', true);
  const keyPem = files.key('ca-key.pem');
  const oldKeyPem = files.key('old-ca-key.pem');
  return cert === undefined ? undefined : { cert, keyPem, oldKeyPem };
}

function readHost(tree: Tree): ReadDirectory<StoredHost> {
  return (name, files, directory) => {
    const record = files.text('host.json', true, HOST_FILE.read);
    const ca = files.certificate('ca.pem', true);
    const serverCert = files.certificate('server-cert.pem', true);
    const serverKey = files.key('server-key.pem');
    if (record === undefined || ca === undefined || serverCert === undefined) return undefined;
    noteOtherName(tree, directory, 'host.json', record.name, name);
    return { record, ca, serverCert, serverKey };
  };
}

function readClient(home: string, tree: Tree): ReadDirectory<StoredClient & { readonly directory: string }> {
  return (name, files, directory) => {
    const record = files.text('client.json', true, CLIENT_FILE.read);
    const ca = files.certificate('ca.pem', true);
    const cert = files.certificate('cert.pem', true);
    const key = files.key('key.pem');
    if (record === undefined || ca === undefined || cert === undefined) return undefined;
    noteOtherName(tree, directory, 'client.json', record.name, name);
    return { record, ca, cert, key, directory: inside(home, `clients/${name}`) };
  };
}

/** Notes a directory that the user copied or renamed by hand. */
function noteOtherName(tree: Tree, directory: string, file: string, found: string, name: string): void {
  if (found === name) return;
  tree.problems.damage(join(directory, file), `is the record of ${found}, not of ${name}`, tree.aside(directory));
}
