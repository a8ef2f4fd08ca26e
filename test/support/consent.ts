/** Runs of a command while everything that it could do is counted: keys, signatures, sign commands, passphrases, the store, hosts. */

import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copySync } from 'fs-extra/esm';
import { afterAll, beforeEach } from 'vitest';
import { makeCsr } from '../../src/core/domain/pki/csr.ts';
import { generateKey } from '../../src/core/domain/pki/keys.ts';
import { type AnsweringHosts, answeringHosts } from './answering-hosts.ts';
import { CertificateFactory } from './certificate-factory.ts';
import { type CliRun, runCli } from './cli.ts';
import { issueStore } from './issued-store.ts';
import { newHome, picture, removeHomes } from './store.ts';

/** A command that changes something, with arguments; `asks`: it does nothing without consent. */
export type Changing = readonly [name: string, argv: readonly string[], asks: boolean];

/** What a feature says of its commands, in test/features/NAME/support/consent.ts. */
export type FeatureConsent = {
  readonly changing: readonly Changing[];
  /** Those that only read, or that tests of the feature itself try. */
  readonly others: RegExp;
  /** What scripts that only ask print, by phase. */
  readonly outputs?: AnsweringHosts['outputs'];
};

/** The real ones, counted: every key (RSA apart) and every signature goes through them. */
const { counted, restore } = (() => {
  const crypto = process.getBuiltinModule('node:crypto');
  const { syncBuiltinESMExports } = process.getBuiltinModule('node:module');
  const { createECDH, generateKeyPairSync, sign } = crypto;
  const counted = { keys: 0, certificates: 0 };
  const counting =
    (what: keyof typeof counted, real: (...words: never[]) => unknown) =>
    (...words: never[]) => {
      counted[what] += 1;
      return real(...words);
    };
  const put = (functions: object) => {
    Object.assign(crypto, functions);
    syncBuiltinESMExports();
  };
  put({
    createECDH: counting('keys', createECDH),
    generateKeyPairSync: counting('keys', generateKeyPairSync as never),
    sign: counting('certificates', sign as never),
  });
  return { counted, restore: () => put({ createECDH, generateKeyPairSync, sign }) };
})();

export const factory = new CertificateFactory();
afterAll(() => {
  restore();
  removeHomes();
  factory.remove();
});

const now = new Date();
let home: string;
export let directory: string;
let onHost: string[];
let passphrases: number;
/** A line for each time that a sign command ran. */
export let signed: string;

/** The passphrase is in the environment, from where it is taken when it is needed. */
function environment(): Record<string, string> {
  const env = { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home };
  return new Proxy(env as Record<string, string>, {
    get(target, name) {
      if (name === 'DOCKER_TLS_CA_PASSPHRASE') passphrases += 1;
      return name === 'DOCKER_TLS_CA_PASSPHRASE' ? 'correct horse' : Reflect.get(target, name);
    },
  });
}

export function run(argv: readonly string[], outputs: AnsweringHosts['outputs'] = {}): Promise<CliRun> {
  return runCli([...argv, '--json'], {
    cwd: directory,
    env: environment(),
    now: () => now,
    connect: answeringHosts({ home, now, onChange: (phase) => onHost.push(phase), outputs }),
    probe: async () => ({ kind: 'refused', cause: 'connection-refused', reason: '', chain: '', elapsedMs: 0 }),
  });
}

beforeEach(async () => {
  home = newHome();
  directory = dirname(home);
  onHost = [];
  signed = join(directory, 'signed');
  writeFileSync(signed, '');
  mkdirSync(join(directory, 'machines/machines/old'), { recursive: true });
  writeFileSync(
    join(directory, 'fleet.yaml'),
    'version: 1\nhosts: { h1: 127.0.0.1, h3: 127.0.0.3 }\nclients: { laptop:, ci: { hosts: [h1] } }\n',
  );
});

/** Encrypting its keys takes most of the time of a test, so it is made once, and copied for each. */
let issued: string | undefined;

/** Two hosts, two clients, and a request; the CA's key is here, under the passphrase. */
export async function ownCa(): Promise<void> {
  if (issued === undefined) {
    issued = newHome();
    const clients = { laptop: undefined, eve: undefined };
    await issueStore(issued, { now, hosts: { h1: {}, h2: {} }, clients, passphrase: 'correct horse' });
  }
  copySync(issued, home);
  writeFileSync(join(directory, 'ann.csr'), makeCsr({ key: await generateKey('p256'), commonName: 'ann' }));
}

/** What a run did that needs consent. */
export async function counts(work: () => Promise<CliRun>): Promise<{ run: CliRun; done: Record<string, unknown> }> {
  const look = () => (existsSync(home) ? picture(home) : {});
  const before: Record<string, string> = look();
  Object.assign(counted, { keys: 0, certificates: 0 });
  passphrases = 0;
  const made = await work();
  const after = look();
  const done = {
    ...counted,
    signCommandRuns: readFileSync(signed, 'utf8').split('\n').length - 1,
    passphrases,
    storeWrites: Object.keys({ ...before, ...after }).filter((path) => before[path] !== after[path]),
    onHost,
  };
  return { run: made, done };
}

export const NOTHING = { keys: 0, certificates: 0, signCommandRuns: 0, passphrases: 0, storeWrites: [], onHost: [] };
