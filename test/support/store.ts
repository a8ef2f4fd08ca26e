/** Shared parts of the store tests: temporary homes, contents to store, and a snapshot of a whole tree. */

import { createHash } from 'node:crypto';
import { lstatSync, mkdtempSync, readdirSync, readFileSync, readlinkSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type {
  StoredCa,
  StoredClient,
  StoredHost,
  StoredIssuer,
  StoreState,
} from '../../src/core/adapters/store/records.ts';
import { parseSan } from '../../src/core/domain/pki/san.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import { completeHost } from '../../src/core/domain/settings.ts';
import { CREDENTIALS } from './store-credentials.ts';

const TIME = '2026-11-25T10:00:00.000Z';

export function credential(which: number): { readonly cert: string; readonly key: Secret } {
  const { cert, key } = CREDENTIALS[which % CREDENTIALS.length] as (typeof CREDENTIALS)[number];
  return { cert, key: new Secret(key) };
}

export function sampleCa(which: number): StoredCa {
  const { cert, key } = credential(which);
  return { cert, keyPem: key, record: { name: `ca-${which}`, createdAt: TIME, keyType: 'p256', days: 3650 } };
}

export function sampleIssuer(which: number): StoredIssuer {
  return { cert: credential(which).cert, keyPem: credential(which).key };
}

export function sampleHost(name: string, which: number): StoredHost {
  return {
    record: {
      ...completeHost({
        name,
        ssh: { destination: name.replace('@', '.'), user: 'root', identities: ['/home/a/.ssh/id'] },
        sans: ['other.example', '10.0.0.1'].map(parseSan),
        days: 365,
      }),
      address: `${name.replace('@', '.')}.example`,
      createdAt: TIME,
      updatedAt: TIME,
      generation: which,
    },
    ca: credential(which).cert + credential(which + 1).cert,
    serverCert: credential(which).cert,
    serverKey: credential(which).key,
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
      copies: [{ dockerConfig: '/home/ada/.docker', contexts: [`ctx-${which}`], directory: false }],
    },
    ca: credential(which).cert,
    cert: credential(which + 1).cert + credential(which).cert,
    key: credential(which + 1).key,
  };
}

const homes: string[] = [];

/** A path for a store that does not exist yet, in a separate directory. */
export function newHome(): string {
  const directory = mkdtempSync(join(tmpdir(), 'store-test-'));
  removeLater(directory);
  return join(directory, 'tls');
}

/** Registers a path for removeHomes. */
export function removeLater(path: string): void {
  homes.push(path);
}

export function removeHomes(): void {
  for (const directory of homes.splice(0)) rmSync(directory, { recursive: true, force: true });
}

/** Everything under a directory: type, mode and contents by path, without access times. */
export function picture(directory: string, at = ''): Record<string, string> {
  const stats = lstatSync(join(directory, at));
  const mode = (stats.mode & 0o7777).toString(8);
  if (stats.isSymbolicLink()) return { [at]: `link ${readlinkSync(join(directory, at))}` };
  if (!stats.isDirectory() && !stats.isFile()) return { [at]: `${mode} neither file nor directory` };
  if (stats.isFile()) {
    return {
      [at]: `${mode} ${createHash('sha256')
        .update(readFileSync(join(directory, at)))
        .digest('hex')}`,
    };
  }
  const inner = readdirSync(join(directory, at)).map((name) => picture(directory, at === '' ? name : `${at}/${name}`));
  return Object.assign({ [at]: `${mode} directory` }, ...inner);
}

/** A state as plain data with the bytes of its keys, for comparison. */
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
