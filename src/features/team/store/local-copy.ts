/**
 * Local state for a shared store, in the directory of --home: the store's address, the last state seen, and machine-specific fields of
 * records. Also writes the files of clients used on this machine, for docker.
 */

import { randomUUID } from 'node:crypto';
import { readdirSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import * as z from 'zod/mini';
import { SCHEMA } from '../../../core/adapters/store/read.ts';
import type { StoredClient, StoreState } from '../../../core/adapters/store/records.ts';
import {
  createFile,
  inside,
  makeDirectories,
  makeDirectory,
  present,
  removeIfEmpty,
  textIfThere,
} from '../../../core/adapters/store/store-files.ts';
import { readObject } from '../../../core/adapters/store/store-url.ts';
import { destinationWords } from '../../../core/domain/destination.ts';
import type { CaSigner, Data } from '../../../core/domain/external-ca.ts';
import { fieldsOf } from '../../../core/domain/json.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { Secret } from '../../../core/domain/secret.ts';
import { RUN_MARKS } from '../../../core/domain/store-settings.ts';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { sameStore } from './address.ts';
import { signerFiles, withSignerFiles } from './signer-paths.ts';

const seenSchema = z.object({
  sequence: z.number(),
  revision: z.string(),
  /** SHA-256 of its manifest. */
  manifest: z.string(),
  /** Fingerprints of its lists of signers, newest last. */
  signers: z.array(z.string()),
});
/** The newest snapshot accepted on this machine. */
export type SeenState = Data<z.output<typeof seenSchema>>;

const FIELDS = { hosts: ['ssh'], clients: ['own', 'copies'] } as const;
const SSH_FIELDS = ['identities', 'configFile'] as const;
/** `signers`: files of external CAs and tokens, by their ID (external-ca.ts). */
export type Collection = keyof typeof FIELDS | 'signers';
/** Machine-specific fields by collection and name. */
type Own = { readonly [K in Collection]?: Readonly<Record<string, Readonly<Record<string, unknown>>>> };

export type Local = ReturnType<typeof openLocal>;

/** Opens the local state without reading. Fails with E_STORE_OTHER (exit 2) if the directory belongs to another store. */
export function openLocal(home: string, url: string) {
  const file = join(home, 'store.json');

  function remembered(): { readonly seen?: SeenState } {
    const found = readObject(file);
    if (found === undefined) return {};
    if (typeof found.store !== 'string' || !sameStore(found.store, url)) throw otherStore(home, url, found.store);
    const seen = z.safeParse(seenSchema, found.seen);
    return seen.success ? { seen: seen.data } : {};
  }

  function own(): Own {
    return (readObject(join(home, 'local.json')) ?? {}) as Own;
  }

  return {
    home,
    seen: () => remembered().seen,

    /** Remembers a newer snapshot, or any with `anyway`. True if it is now the remembered one. */
    remember(seen: SeenState, anyway = false): boolean {
      const before = remembered().seen;
      if (!anyway && before !== undefined && before.sequence >= seen.sequence) return before.revision === seen.revision;
      replaceFile(home, 'store.json', `${JSON.stringify({ schema: SCHEMA, store: url, seen })}\n`);
      return true;
    },

    /**
     * Machine-specific fields of records, from this machine alone: a colleague who writes some into the store names no file here, neither to
     * log in with nor to write to.
     */
    merged(state: StoreState): StoreState {
      const { hosts = {}, clients = {}, signers = {} } = own();
      const places = new Map(Object.entries(loggedIn()));
      const here = <T extends { readonly record?: CaSigner }>(ca: T): T =>
        ca.record === undefined ? ca : { ...ca, record: withSignerFiles(ca.record, signers) };
      return {
        ...state,
        ...(state.ca === undefined ? {} : { ca: here(state.ca) }),
        oldCas: state.oldCas.map(here),
        hosts: new Map(
          [...state.hosts].map(([name, host]) => {
            const common = without(host.record.ssh, [...SSH_FIELDS, ...RUN_MARKS]);
            const jumpFromStore = common.jump === undefined ? {} : { jumpFromStore: true as const };
            const placeFromStore = { place: destinationWords(common), last: places.get(name) };
            const marked = { ...common, ...jumpFromStore, placeFromStore };
            const ssh = { ...marked, ...(hosts[name]?.ssh as object | undefined) };
            return [name, { ...host, record: { ...host.record, ssh } }];
          }),
        ),
        clients: new Map(
          [...state.clients].map(([name, client]) => [
            name,
            { ...client, record: { ...without(client.record, FIELDS.clients), ...clients[name] } },
          ]),
        ),
      };
    },

    fieldsOf(collection: Collection, name: string): Readonly<Record<string, unknown>> {
      return own()[collection]?.[name] ?? {};
    },

    /** Stores machine-specific fields by collection and name, and removes earlier ones of a name without any. */
    keep(collection: Collection, name: string, fields: Readonly<Record<string, unknown>>): void {
      const before = own();
      const others = Object.entries(before[collection] ?? {}).filter(([each]) => each !== name);
      const entries = Object.keys(fields).length === 0 ? others : [...others, [name, fields] as const];
      const text = `${JSON.stringify({ ...before, [collection]: Object.fromEntries(entries) }, null, 2)}\n`;
      if (entries.length + Object.keys(before[collection] ?? {}).length > 0) replaceFile(home, 'local.json', text);
    },

    /** Writes missing and outdated files of clients used on this machine, and deletes those of removed clients. */
    placeClients(state: StoreState, openable: ReadonlySet<string>): void {
      for (const [name, client] of state.clients) {
        const { record, key } = client;
        const used = record.own === true || (record.copies ?? []).length > 0 || openable.has(name) || here(name);
        if (used && key !== undefined) placeClient(home, name, client, key);
      }
      for (const name of placedClients(home)) if (!state.clients.has(name)) dropClient(home, name);
    },

    hasClient: here,

    lastLogin: (host: string): string | undefined => loggedIn()[host],

    loggedIn(host: string, place: string): void {
      const places = loggedIn();
      if (places[host] === place) return;
      const text = `${JSON.stringify({ ...own(), loggedIn: { ...places, [host]: place } }, null, 2)}\n`;
      replaceFile(home, 'local.json', text);
    },

    /** Store settings accepted on this machine, by ID (domain/store-settings.ts). */
    accepts: (id: string): boolean => accepted().includes(id),

    accept(id: string): void {
      if (accepted().includes(id)) return;
      const text = `${JSON.stringify({ ...own(), accepted: [...accepted(), id] }, null, 2)}\n`;
      replaceFile(home, 'local.json', text);
    },
  };

  function accepted(): readonly unknown[] {
    const ids = readObject(join(home, 'local.json'))?.accepted;
    return Array.isArray(ids) ? ids : [];
  }

  /** Where this machine logged in last, by host. */
  function loggedIn(): Readonly<Record<string, string>> {
    const places = Object.entries(fieldsOf(readObject(join(home, 'local.json'))?.loggedIn));
    return Object.fromEntries(places.filter((entry): entry is [string, string] => typeof entry[1] === 'string'));
  }

  function here(name: string): boolean {
    return present(inside(home, `clients/${name}`));
  }
}

function without<T extends object, K extends PropertyKey>(record: T, fields: readonly K[]): Omit<T, K> {
  const left = Object.entries(record).filter(([key]) => !(fields as readonly PropertyKey[]).includes(key));
  return Object.fromEntries(left) as Omit<T, K>;
}

/** Splits a record into shared and machine-specific fields. */
export function splitRecord(
  collection: keyof typeof FIELDS,
  text: string,
): { readonly common: string; readonly own: Readonly<Record<string, unknown>> } {
  const record = JSON.parse(text) as Record<string, unknown>;
  const [from, fields] = collection === 'hosts' ? [record.ssh as object, SSH_FIELDS] : [record, FIELDS.clients];
  const picked = Object.fromEntries(
    Object.entries(from).filter(([key]) => (fields as readonly string[]).includes(key)),
  );
  const rest = without(from, [...fields, ...RUN_MARKS]);
  const common = `${JSON.stringify(collection === 'hosts' ? { ...record, ssh: rest } : rest, null, 2)}\n`;
  if (Object.keys(picked).length === 0) return { common, own: {} };
  return { common, own: collection === 'hosts' ? { ssh: picked } : picked };
}

/** Splits a `ca.json` into its shared part, and files of this machine by what they are for. */
export function splitCa(text: string): { readonly common: string; readonly own: ReturnType<typeof signerFiles> } {
  const record = JSON.parse(text) as CaSigner;
  return { common: `${JSON.stringify(withSignerFiles(record, {}), null, 2)}\n`, own: signerFiles(record) };
}

function placeClient(home: string, name: string, { ca, cert }: StoredClient, key: Secret): void {
  const directory = inside(home, `clients/${name}`);
  makeDirectories(home);
  makeDirectory(inside(home, 'clients'));
  makeDirectory(directory);
  // The key first: a certificate without its key is useless.
  for (const [file, kind, bytes] of [
    ['key.pem', 'key', key.revealText()],
    ['ca.pem', 'certificate', ca],
    ['cert.pem', 'certificate', cert],
  ] as const) {
    if (textIfThere(join(directory, file)) !== bytes) replaceFile(directory, file, bytes, kind);
  }
}

function placedClients(home: string): string[] {
  try {
    return readdirSync(inside(home, 'clients')).filter((name) => nameProblem(name) === undefined);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') return [];
    throw error;
  }
}

/** The key no longer opens any host. Other files in the directory stay. */
function dropClient(home: string, name: string): void {
  const directory = inside(home, `clients/${name}`);
  for (const file of ['key.pem', 'cert.pem', 'ca.pem']) rmSync(join(directory, file), { force: true });
  removeIfEmpty(directory);
}

function replaceFile(
  directory: string,
  name: string,
  bytes: string,
  kind: 'key' | 'certificate' | 'record' = 'record',
) {
  makeDirectories(directory);
  const draft = join(directory, `.new-${randomUUID()}`);
  try {
    createFile(draft, { kind, bytes });
    renameSync(draft, join(directory, name));
  } finally {
    rmSync(draft, { force: true });
  }
}

function otherStore(home: string, url: string, found: unknown): DockerTlsError {
  const aside = `mv ${shellQuote(home)} ${shellQuote(`${home}.before`)}`;
  return new DockerTlsError(
    'E_STORE_OTHER',
    typeof found === 'string'
      ? `this directory was used with ${found} until now, and not with ${url}`
      : `this directory holds another store, so it cannot be used with ${url}`,
    {
      where: home,
      hints: [
        ...(typeof found === 'string' ? [] : [`to move it there: docker-tls store copy --to ${shellQuote(url)}`]),
        `set it aside: ${aside}`,
        `or use another directory: --home DIR --store ${shellQuote(url)}`,
      ],
    },
  );
}
