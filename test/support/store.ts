/** Owns what tests of the store share: temporary homes, contents to store, and a picture of a whole tree. */

import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Secret } from '../../src/secret.ts';
import type { StoredCa, StoredClient, StoredHost, StoredIssuer, StoreState } from '../../src/store/records.ts';
import { PAPERS } from './store-papers.ts';

const TIME = '2026-11-25T10:00:00.000Z';

export function paper(which: number): { readonly cert: string; readonly key: Secret } {
  const { cert, key } = PAPERS[which % PAPERS.length] as (typeof PAPERS)[number];
  return { cert, key: new Secret(key) };
}

export function sampleCa(which: number): StoredCa {
  const { cert, key } = paper(which);
  return { cert, keyPem: key, record: { name: `ca-${which}`, createdAt: TIME, keyType: 'p256', days: 3650 } };
}

export function sampleIssuer(which: number): StoredIssuer {
  return { cert: paper(which).cert, keyPem: paper(which).key };
}

export function sampleHost(name: string, which: number): StoredHost {
  return {
    record: {
      name,
      address: `${name}.example`,
      port: 2376,
      ssh: { destination: `root@${name}`, identities: ['/home/a/.ssh/id'], transport: 'ssh2' },
      sans: [`${name}.example`, '10.0.0.1'],
      keyType: 'p256',
      days: 365,
      containers: 'keep',
      createdAt: TIME,
      updatedAt: TIME,
      generation: which,
    },
    ca: paper(which).cert + paper(which + 1).cert,
    serverCert: paper(which).cert,
    serverKey: paper(which).key,
  };
}

export function sampleClient(name: string, which: number): StoredClient {
  return {
    record: {
      name,
      createdAt: TIME,
      updatedAt: TIME,
      days: 90,
      keyType: 'p256',
      copies: [{ dockerConfig: '/home/ada/.docker', contexts: [`ctx-${which}`], folder: false }],
    },
    ca: paper(which).cert,
    cert: paper(which + 1).cert + paper(which).cert,
    key: paper(which + 1).key,
  };
}

const homes: string[] = [];

/** A path for a store that is not there yet, in a folder of its own. */
export function newHome(): string {
  const folder = mkdtempSync(join(tmpdir(), 'store-test-'));
  removeLater(folder);
  return join(folder, 'tls');
}

/** Leaves a path to removeHomes. */
export function removeLater(path: string): void {
  homes.push(path);
}

export function removeHomes(): void {
  for (const folder of homes.splice(0)) rmSync(folder, { recursive: true, force: true });
}

/** Everything under a folder: type, mode and contents by path. Access times are no part of it. */
export function picture(folder: string, at = ''): Record<string, string> {
  const stats = lstatSync(join(folder, at));
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isSymbolicLink()) return { [at]: `link ${readlinkSync(join(folder, at))}` };
  if (!stats.isDirectory() && !stats.isFile()) return { [at]: `${mode} neither file nor folder` };
  if (stats.isFile()) {
    return {
      [at]: `${mode} ${createHash('sha256')
        .update(readFileSync(join(folder, at)))
        .digest('hex')}`,
    };
  }
  const inner = readdirSync(join(folder, at)).map((name) => picture(folder, at === '' ? name : `${at}/${name}`));
  return Object.assign({ [at]: `${mode} folder` }, ...inner);
}

/** A state as plain data with the bytes of its keys, to be compared. */
export function revealed(state: StoreState): unknown {
  function open(value: unknown): unknown {
    if (value instanceof Secret) return value.revealText();
    if (value instanceof Map) return Object.fromEntries([...value].map(([key, each]) => [key, open(each)]));
    if (Array.isArray(value)) return value.map(open);
    if (typeof value !== 'object' || value === null) return value;
    const known = Object.entries(value).filter(([, each]) => each !== undefined);
    return Object.fromEntries(known.map(([key, each]) => [key, open(each)]));
  }
  return open(state);
}
