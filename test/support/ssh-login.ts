/** Shared parts of the ssh tests: a key, options isolated from the user who runs the tests, and questions with answers. */

import { mkdtempSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { connect } from '../../src/core/adapters/ssh/connect.ts';
import { Secret } from '../../src/core/domain/secret.ts';
import type { HostSession, SshOptions, SshQuestions } from '../../src/core/runtime.ts';
import { TRANSPORTS } from '../../src/core/seams/transports.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { makeKey, type SshServer, type SshServerOptions, startSshServer } from './ssh-server.ts';

/** The built-in transport, and those of features. */
export const transports = ['ssh2' as const, ...TRANSPORTS.all.map(({ name }) => name)];

export const directory = mkdtempSync('/tmp/docker-tls-test-ssh-');
export const key = makeKey();
export const keyFile = join(directory, 'id_test');
writeFileSync(keyFile, key.privateKey, { mode: 0o600 });
writeFileSync(join(directory, 'config'), 'IdentityAgent none\nIdentityFile none\n');
/** Of the user who runs the tests, only the agent that SSH_AUTH_SOCK names. */
export const agentConfig = join(directory, 'agent-config');
writeFileSync(agentConfig, 'IdentityFile none\n');

let files = 0;

/** Options isolated from the user who runs the tests. */
export function optionsFor(server: { port: number }, more: Partial<SshOptions> = {}): SshOptions {
  files += 1;
  return {
    host: 'build-1',
    destination: '127.0.0.1',
    user: 'tester',
    port: server.port,
    configFile: join(directory, 'config'),
    knownHostsFile: join(directory, `known_hosts_${files}`),
    hostKey: 'accept-new',
    identities: [keyFile],
    connectTimeoutMs: 60_000,
    ...more,
  };
}

export function questions(
  answers: Partial<Record<keyof SshQuestions, string | boolean>>,
  requested: string[] = [],
): SshQuestions {
  const say = (kind: keyof SshQuestions, text: string): Secret => {
    requested.push(`${kind}: ${text}`);
    return new Secret(String(answers[kind] ?? ''));
  };
  return {
    hostKey: async ({ type, fingerprint }) => {
      requested.push(`hostKey: ${type} ${fingerprint}`);
      return answers.hostKey === true;
    },
    passphrase: async ({ file }) => say('passphrase', file),
    password: async ({ prompt }) => say('password', prompt),
  };
}

export async function whoami(session: HostSession): Promise<string> {
  const result = await session.run({ phase: 'test', script: 'echo in', asRoot: false, timeoutMs: 60_000 });
  return result.stdout.toString();
}

export async function failure(work: Promise<unknown>): Promise<DockerTlsError> {
  try {
    await work;
  } catch (error) {
    if (error instanceof DockerTlsError) return error;
    throw error;
  }
  throw new Error('it did not fail');
}

export async function withServer<Result>(
  options: SshServerOptions,
  work: (server: SshServer) => Promise<Result>,
): Promise<Result> {
  const server = await startSshServer(options);
  try {
    return await work(server);
  } finally {
    await server.close();
  }
}

export async function logIn(options: SshOptions): Promise<string> {
  const session = await connect(options);
  try {
    return await whoami(session);
  } finally {
    await session.close();
  }
}

export const withKey: SshServerOptions = { authorizedKeys: [key.publicKey] };

/** The key list of an agent that holds one key. */
export function agentHolding(publicKey: string): Buffer {
  const string = (bytes: Buffer): Buffer => {
    const length = Buffer.alloc(4);
    length.writeUInt32BE(bytes.length);
    return Buffer.concat([length, bytes]);
  };
  const blob = Buffer.from(publicKey.split(' ')[1] as string, 'base64');
  return string(Buffer.concat([Buffer.from([12, 0, 0, 0, 1]), string(blob), string(Buffer.from('held'))]));
}
