/** A real host under CAs of others, and under a CA whose key is in a token: the whole life of its credentials, one client revoked included. */

import { mkdirSync, mkdtempSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildStepCa, startCfssl, startStepCa, startVault } from '../features/issuers/support/issuers.ts';
import { makeTokenCa } from '../features/issuers/support/token.ts';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson } from '../support/person.ts';

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
    await run('plan', host.name, '--check');
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
    await server.stop();
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

test.each([
  ['step-ca', startStepCa],
  ['cfssl', startCfssl],
  ['a stand-in for Vault', startVault],
] as const)(
  '%s, named in the fleet file: nothing is imported by hand, and a second apply changes and asks for nothing',
  async (_, start) => {
    const server = await start(factory);
    try {
      await liveByFile(server.args, { requests: server.requests });
    } finally {
      await server.stop();
    }
  },
);

test('a token, named in the fleet file: the same', async () => {
  const { env, certFile, uri, pinFile } = makeTokenCa(mkdtempSync(join(factory.directory, 'token-')));
  await liveByFile(['--cert', certFile, '--pkcs11', uri, '--pin-file', pinFile], { env });
});

async function liveByFile(
  args: readonly string[],
  { env, requests = () => 0 }: { readonly env?: Readonly<Record<string, string>>; requests?(): number },
): Promise<void> {
  const person = newPerson(program, [host]);
  const file = join(person.home, 'fleet.yaml');
  const { address, keyFile, name } = host;
  const config = join(person.home, '.ssh/config');
  const way = { destination: `root@${address}`, identities: [keyFile], config, 'host-key': 'accept-new' };
  const ca = JSON.stringify({ ...fleetKeys(args), passphrase: 'none' });
  const fleet = [
    'version: 1',
    `ca: ${ca}`,
    `hosts: { ${name}: { ssh: ${JSON.stringify(way)} } }`,
    'clients: { ops: }',
    '',
  ];
  writeFileSync(file, fleet.join('\n'));
  const run = async (...argv: string[]) => done(await person.run([...argv, '-f', file], { env }));
  try {
    const { out } = await run('plan');
    expect(out).toMatch(/^your CA /m);
    const before = requests();
    await run('apply', '--yes');
    const after = requests();
    expect((await run('plan', '--check')).out).not.toMatch(/your CA/);
    await run('apply', '--yes');
    expect(requests()).toBe(after);
    await run('rotate', 'server', name, '--yes');
    if (before !== after) expect([after - before, requests() - after]).toEqual([2, 1]);
    expect(done(await person.run(['verify', name])).out).toMatch(/client ops: accepted/);
    done(await person.run(['remove', name, '--yes']));
  } finally {
    person.remove();
  }
}

/** The options of `ca import` as the fleet file has them. */
function fleetKeys(args: readonly string[]): Record<string, unknown> {
  const keys: Record<string, unknown> = {};
  args.forEach((word, index) => {
    if (!word.startsWith('--')) return;
    const next = args[index + 1];
    const value = next === undefined || next.startsWith('--') ? true : next;
    const key = word.slice(2);
    if (key === 'profile') keys.profiles = [...((keys.profiles as string[]) ?? []), value];
    else keys[key] = value;
  });
  return keys;
}
