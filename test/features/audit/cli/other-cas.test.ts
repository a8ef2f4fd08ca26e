/** A hardening names the other CAs that its host accepts. */

import { dirname, join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { Probe } from '../../../../src/core/runtime.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { recordedBytes } from '../support/audit-facts.ts';

const factory = new CertificateFactory();
const now = new Date();
const home = newHome();
const [company, gone] = [
  factory.issue('Company CA', { ca: true, to: 400 }),
  factory.issue('Gone CA', { ca: true, from: -9, to: -1 }),
];
const until = new Date(now.getTime() + 400 * 86_400_000).toISOString().slice(0, 10);
const named = `every client of the CA "Company CA" (until ${until})`;
let laptop = '';

beforeAll(async () => {
  await issueStore(home, { now, hosts: { h1: {}, h2: {} }, clients: { laptop: undefined } });
  const store = openStore(home);
  await store.withLock('test', async () => {
    const { hosts, clients } = await store.read();
    laptop = clients.get('laptop')?.cert ?? '';
    const h1 = hosts.get('h1');
    if (h1 === undefined) throw new Error('no host');
    const acceptCa = company.cert + gone.cert;
    await store.write({
      hosts: { h1: { ...h1, ca: h1.ca + acceptCa, record: { ...h1.record, acceptCa } } },
    });
  });
});

afterAll(() => {
  factory.remove();
  removeHomes();
});

async function run(...argv: string[]) {
  const served = (await openStore(home).read()).hosts;
  const probe: Probe = async ({ credentials, maxVersion }) => {
    const chain = served.get(argv[argv.length - 1] ?? '')?.serverCert ?? served.get('h1')?.serverCert ?? '';
    return credentials?.cert === laptop && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain, elapsedMs: 1 };
  };
  const directory = dirname(home);
  const done = await runCli(argv, {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    now: () => now,
    connect: answeringHosts({ outputs: { audit: recordedBytes('fresh-trixie') }, home, now }),
    probe,
    io: { columns: 200 },
  });
  const { exit, err } = done;
  return { exit, err, out: done.out.replace(/\s+/g, ' ') };
}

test('the end of a change', async () => {
  const host = async () => (await openStore(home).read()).hosts.get('h1')?.serverCert ?? '';
  const before = await host();
  const { exit, out, err } = await run('harden', 'h1', '--only', 'log-limits', '--yes');
  expect([exit, (await host()) === before], err + out).toEqual([0, true]);
  expect(out).toSay('accepted-well-not-tried', named);
});
