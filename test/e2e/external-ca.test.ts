/** A real host under CAs of others, and under a CA whose key is in a token: the whole life of its credentials, one client revoked included. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { buildStepCa, startCfssl, startStepCa, startVault } from '../support/issuers.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson } from '../support/person.ts';
import { makeTokenCa } from '../support/token.ts';

let program: Program;
let host: LabHost;
const factory = new CertificateFactory();

beforeAll(async () => {
  await buildStepCa();
  program = buildProgram();
  [host] = (await labUp({ names: ['external-ca'] })) as [LabHost];
}, 600_000);
afterAll(async () => {
  await host?.down();
  program?.remove();
  factory.remove();
});

function done(run: ProgramRun): ProgramRun {
  if (run.status !== 0) throw new Error(`exit ${run.status}\n${run.out}\n${run.err}`);
  return run;
}

type Asked = { readonly args: readonly string[]; readonly env?: Readonly<Record<string, string>>; requests(): number };

/** The whole life of a host's credentials. */
async function live(
  { args, env = {}, requests }: Asked,
  asked: readonly [setup: number, added: number, rotated: number],
) {
  const person = newPerson(program, [host]);
  const run = async (...argv: string[]) => done(await person.run(argv, { env }));
  try {
    await run('ca', 'import', ...args, '--no-ca-passphrase');
    const before = requests();
    await run(...person.setup(host, ['--days', '90', '--dry-run']));
    expect(requests()).toBe(before);
    await run(...person.setup(host, ['--days', '90']));
    expect(requests()).toBe(before + asked[0]);
    await run('client', 'add', 'eve', '--yes');
    await run('client', 'revoke', 'eve', '--dry-run', '--reject-other-clients');
    await run('rotate', 'server', host.name, '--dry-run');
    expect(requests()).toBe(before + asked[1]);
    await run('client', 'revoke', 'eve', '--yes', '--reject-other-clients');
    const { out } = await run('verify', host.name);
    expect(out).toMatch(/client eve: rejected/);
    expect(out).toMatch(/client laptop: accepted/);
    await run('rotate', 'server', host.name, '--yes');
    expect(requests()).toBe(before + asked[2]);
    await run('remove', host.name, '--yes');
  } finally {
    person.remove();
  }
}

test.each([
  ['step-ca', startStepCa],
  ['cfssl', startCfssl],
  ['a stand-in for Vault', startVault],
] as const)('%s: set up, verified, a client revoked, the server rotated; plans ask for nothing', async (_, start) => {
  const server = await start(factory);
  try {
    await live(server, [2, 3, 4]);
  } finally {
    server.stop();
  }
});

test('the key of the CA in a token: the same, and plans leave it alone', async () => {
  const { env, certFile, uri, pinFile } = makeTokenCa(factory.directory);
  const path = join(factory.directory, 'bin');
  const count = join(factory.directory, 'signatures');
  mkdirSync(path);
  writeFileSync(count, '');
  const script = `#!/bin/sh\n[ "$1" != dgst ] || echo >>${count}\nexec /usr/bin/openssl "$@"\n`;
  writeFileSync(join(path, 'openssl'), script, { mode: 0o755 });
  const args = ['--cert', certFile, '--pkcs11', uri, '--pin-file', pinFile];
  const more = { ...env, PATH: `${path}:${process.env.PATH}` };
  await live({ args, env: more, requests: () => readFileSync(count, 'utf8').length }, [2, 3, 4]);
});
