/** A real host under CAs of others, and under a CA whose key is in a token: the whole life of its credentials, one client revoked included. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { CertificateFactory } from '../support/certificate-factory.ts';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { startCfssl, startStepCa, startVault } from '../support/issuers.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson } from '../support/person.ts';

let program: Program;
let host: LabHost;
const factory = new CertificateFactory();

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['external-ca'] })) as [LabHost];
});
afterAll(async () => {
  await host?.down();
  program?.remove();
  factory.remove();
});

function done(run: ProgramRun): ProgramRun {
  if (run.status !== 0) throw new Error(`exit ${run.status}\n${run.out}\n${run.err}`);
  return run;
}

test.each([
  ['step-ca', startStepCa],
  ['cfssl', startCfssl],
  ['a stand-in for Vault', startVault],
] as const)(
  '%s: set up, verified, a client added and revoked, the server rotated; plans ask for nothing',
  async (_, start) => {
    const server = await start(factory);
    const person = newPerson(program, [host]);
    const run = async (...argv: string[]) => JSON.parse(done(await person.run([...argv, '--json'])).out).result;
    const verified = async () => done(await person.run(['verify', host.name])).out;
    try {
      await run('ca', 'import', ...server.args);
      await run(...person.setup(host, ['--days', '90', '--dry-run']));
      expect(server.requests()).toBe(0);
      await run(...person.setup(host, ['--days', '90']));
      expect(server.requests()).toBe(2);
      await run('client', 'add', 'eve', '--yes');
      await run('client', 'revoke', 'eve', '--dry-run', '--reject-other-clients');
      await run('rotate', 'server', host.name, '--dry-run');
      expect(server.requests()).toBe(3);
      await run('client', 'revoke', 'eve', '--yes', '--reject-other-clients');
      const seen = await verified();
      expect(seen).toMatch(/client eve: rejected/);
      expect(seen).toMatch(/client laptop: accepted/);
      await run('rotate', 'server', host.name, '--yes');
      expect(server.requests()).toBe(4);
      await run('remove', host.name, '--yes');
    } finally {
      server.stop();
      person.remove();
    }
  },
);
