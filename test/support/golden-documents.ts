/** The --json document of a command beside a golden file; what differs between runs and machines is replaced. */

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type AnsweringHosts, answeringHosts } from './answering-hosts.ts';
import { type CliRun, type CliSetting, runCli } from './cli.ts';
import { issueStore } from './issued-store.ts';
import { newHome } from './store.ts';

/** A store on disk with host h1 and the clients laptop, which h1 accepts, and eve. */
export type DocumentPlace = {
  readonly home: string;
  readonly directory: string;
  run(argv: readonly string[], setting?: CliSetting, hosts?: Partial<AnsweringHosts>): Promise<CliRun>;
};

export async function documentPlace(): Promise<DocumentPlace> {
  const home = newHome();
  const directory = join(home, '..');
  const now = new Date();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined, eve: undefined } });
  return {
    home,
    directory,
    run: (argv, setting = {}, hosts = {}) =>
      runCli([...argv, '--json'], {
        cwd: directory,
        env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
        operator: 'ada@laptop',
        now: () => now,
        connect: answeringHosts({ home, now, ...hosts }),
        ...setting,
      }),
  };
}

/** Compares with `NAME.json` in the directory; UPDATE_GOLDEN=1 writes it. */
export function expectGolden(directory: URL, { json }: CliRun, paths: Readonly<Record<string, string>>): void {
  const file = new URL(`${json.command.replaceAll(' ', '-')}.json`, directory);
  const text = `${JSON.stringify(json, (key, value) => normalised(key, value, paths), 2)}\n`;
  if (process.env.UPDATE_GOLDEN !== undefined) writeFileSync(file, text);
  expect(text).toBe(readFileSync(file, 'utf8'));
}

const NUMBERS = ['seconds', 'clockSkewMs'];
const TEXTS = [
  'serial',
  'id',
  'revision',
  'signers',
  'recipient',
  'createdAt',
  'vulnerabilities',
  'node',
  'openssl',
  'arch',
  'platform',
];

function normalised(key: string, value: unknown, paths: Readonly<Record<string, string>>): unknown {
  if (typeof value === 'number' && NUMBERS.includes(key)) return 0;
  if (typeof value !== 'string') return value;
  if (TEXTS.includes(key) && !/^[a-z0-9]+\.[0-9]+$/.test(value)) return key.toUpperCase();
  let text = value;
  for (const [path, name] of Object.entries(paths)) text = text.replaceAll(path, name);
  return (
    text
      .replace(/-----BEGIN ([A-Z ]+)-----[^-]+-----END \1-----\n?/g, '$1\n')
      .replace(/\b(?:[0-9A-F]{2}:){15,}[0-9A-F]{2}\b/g, 'FINGERPRINT')
      .replace(/\b[0-9a-f]{32,}\b/g, 'FINGERPRINT')
      // Of the name of a CA.
      .replace(/(?<= )[0-9a-f]{8}\b/g, 'ID')
      .replace(/\/[^ '"]*\/store-test-\w{6}(?!\w)/g, 'DIRECTORY')
      .replace(/SHA256:[\w+/=]{43}/g, 'FINGERPRINT')
      .replace(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
      .replace(/\b20\d\d-\d\d-\d\d(?: \d\d:\d\d)?\b/g, 'DATE')
  );
}
