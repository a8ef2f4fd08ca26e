/** A change as files: the contents of each directory of the store, and checks before anything is written. */

import { randomUUID } from 'node:crypto';
import { DockerTlsError } from '../../../errors/errors.ts';
import { checkName } from '../../domain/names.ts';
import type { Secret } from '../../domain/secret.ts';
import type { Incoming } from './journal.ts';
import {
  CA_FILE,
  CLIENT_FILE,
  caDirectoryName,
  certificateProblem,
  HOST_FILE,
  type RecordFile,
} from './parse-records.ts';
import { SCHEMA } from './read.ts';
import type { StoreChange, StoredCa, StoredOldCa } from './records.ts';
import type { FileContent } from './store-files.ts';
import { keyProblem } from './store-pem.ts';

/** Facts about the store that a change needs. */
export type Before = {
  /** The store does not exist yet. */
  readonly fresh: boolean;
  /** The active CA. Fails as a read does. */
  ca(): StoredCa | undefined;
  /** The names in a collection (`hosts`). */
  names(collection: string): readonly string[];
};

/**
 * The files that a change writes and the paths that it removes. Fails with E_NAME; throws a TypeError for contents that a read would
 * reject; fails as a read does if it has to retire the CA.
 */
export function changeEntries(before: Before, change: StoreChange): { incoming: Incoming[]; removals: string[] } {
  const incoming: Incoming[] = [];
  const removals = [
    ...(change.removeHosts ?? []).map((name) => `hosts/${checkName('host', name)}`),
    ...(change.removeClients ?? []).map((name) => `clients/${checkName('client', name)}`),
    ...(change.removeIssuers ?? []).map((name) => `ca/issuers/${checkName('client', name)}`),
    ...(change.removeOldCas ?? []).map((serial) => `ca/old/${checkName('CA', serial)}`),
  ];

  function certificate(pem: string): FileContent {
    refuse(certificateProblem(pem));
    return { kind: 'certificate', bytes: pem };
  }

  function key(pem: Secret): FileContent {
    refuse(keyProblem(pem.revealText()));
    return { kind: 'key', bytes: pem };
  }

  function record<T>(file: RecordFile<T>, value: T): FileContent {
    const bytes = file.write(value);
    const parsed = file.read(bytes);
    refuse(parsed.ok ? undefined : parsed.problem);
    return { kind: 'record', bytes };
  }

  function directory(path: string, files: Readonly<Record<string, FileContent | undefined>>): void {
    const given = Object.entries(files).filter((each): each is [string, FileContent] => each[1] !== undefined);
    incoming.push({ path, content: { files: Object.fromEntries(given) } });
  }

  function oldCa({ cert, keyPem, record: about }: Omit<StoredOldCa, 'serial'>): void {
    directory(`ca/old/${caDirectoryName(cert)}`, {
      'ca.pem': certificate(cert),
      'ca-key.pem': keyPem && key(keyPem),
      'ca.json': about && record(CA_FILE, about),
    });
  }

  if (change.retireCa === true) {
    const ca = before.ca();
    if (ca !== undefined) oldCa(ca);
    if (change.ca === undefined) removals.push('ca/ca.pem', 'ca/ca-key.pem', 'ca/ca.json');
  }
  for (const each of change.oldCas ?? []) oldCa(each);
  if (change.ca !== undefined) {
    const { cert, keyPem, record: about } = change.ca;
    incoming.push({ path: 'ca/ca.pem', content: certificate(cert) });
    if (keyPem === undefined) removals.push('ca/ca-key.pem');
    else incoming.push({ path: 'ca/ca-key.pem', content: key(keyPem) });
    incoming.push({ path: 'ca/ca.json', content: record(CA_FILE, about) });
  }
  for (const [name, { cert, keyPem, oldKeyPem }] of Object.entries(change.issuers ?? {})) {
    directory(`ca/issuers/${checkName('client', name)}`, {
      'ca.pem': certificate(cert),
      'ca-key.pem': keyPem && key(keyPem),
      'old-ca-key.pem': oldKeyPem && key(oldKeyPem),
    });
  }
  for (const [name, host] of Object.entries(change.hosts ?? {})) {
    refuse(host.record.name === name ? undefined : `is the record of ${host.record.name}, not of ${name}`);
    directory(`hosts/${checkName('host', name)}`, {
      'host.json': record(HOST_FILE, host.record),
      'ca.pem': certificate(host.ca),
      'server-cert.pem': certificate(host.serverCert),
      'server-key.pem': host.serverKey && key(host.serverKey),
    });
  }
  for (const [name, client] of Object.entries(change.clients ?? {})) {
    refuse(client.record.name === name ? undefined : `is the record of ${client.record.name}, not of ${name}`);
    directory(`clients/${checkName('client', name)}`, {
      'client.json': record(CLIENT_FILE, client.record),
      'ca.pem': certificate(client.ca),
      'cert.pem': certificate(client.cert),
      'key.pem': client.key && key(client.key),
    });
  }
  refuseTwins(before, incoming, removals);
  const paths = incoming.map((each) => each.path);
  refuse(new Set(paths).size === paths.length ? undefined : 'names the same directory twice');
  const changes = incoming.length > 0 || (removals.length > 0 && !before.fresh);
  if (changes) incoming.push(newRevision());
  return { incoming, removals };
}

/** The store's own file, with another revision. */
export function newRevision(): Incoming {
  const bytes = `${JSON.stringify({ schema: SCHEMA, revision: randomUUID() })}\n`;
  return { path: 'store.json', content: { kind: 'record', bytes } };
}

/** Contents that no caller should pass are our bug, and the user cannot fix them. */
function refuse(problem: string | undefined): void {
  if (problem !== undefined) throw new TypeError(`what is to be stored ${problem}`);
}

/** Names that differ only in case are one directory on macOS and Windows, and probably a mistake on any system. */
function refuseTwins(before: Before, incoming: readonly Incoming[], removals: readonly string[]): void {
  for (const [collection, what] of [
    ['hosts', 'host'],
    ['clients', 'client'],
    ['ca/issuers', 'client'],
  ] as const) {
    const names = new Map(
      before
        .names(collection)
        .filter((name) => !removals.includes(`${collection}/${name}`))
        .map((name) => [name.toLowerCase(), name]),
    );
    for (const { path } of incoming) {
      if (!path.startsWith(`${collection}/`)) continue;
      const name = path.slice(collection.length + 1);
      const twin = names.get(name.toLowerCase());
      if (twin !== undefined && twin !== name) {
        throw new DockerTlsError(
          'E_NAME',
          `"${name}" cannot be the name of a ${what}: it differs from "${twin}" only in upper and lower case`,
          { hints: ['choose another name', 'docker-tls status'] },
        );
      }
      names.set(name.toLowerCase(), name);
    }
  }
}
