/** `status` of a machine whose client is rejected: only the hosts know, or this very store has revoked it. */

import { afterAll, beforeEach, expect, test } from 'vitest';
import { makeOwn } from '../../src/core/actions/own-client.ts';
import { openStore } from '../../src/core/adapters/store/store.ts';
import { CertificateFactory, type Issued } from '../support/certificate-factory.ts';
import { runCli } from '../support/cli.ts';
import { importedStore } from '../support/imported-store.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';
import { startTlsDaemon } from '../support/tls-daemon.ts';

const factory = new CertificateFactory();
const ca = factory.issue('ca', { ca: true });
const other = factory.issue('other', { ca: true });
const eve = factory.issue('eve', { by: ca, usage: 'clientAuth' });
const server = factory.issue('server', { by: ca, san: 'IP:127.0.0.1', usage: 'serverAuth' });
let home: string;

beforeEach(() => {
  home = newHome();
});
afterAll(() => {
  factory.remove();
  removeHomes();
});

const run = (...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: home, DOCKER_CONFIG: `${home}/docker` } });

const imported = (...ports: number[]) => importedStore(home, { ca, eve }, ports);

async function withDaemon<T>(trust: Issued, work: (port: number) => Promise<T>): Promise<T> {
  const daemon = await startTlsDaemon(factory, { server, trust });
  try {
    return await work(daemon.port);
  } finally {
    await daemon.stop();
  }
}

test('verify says that a host does not answer, once, and not that it rejected a client', async () => {
  await imported(1);
  const { exit, out, err } = await run('verify');
  expect(exit).toBe(4);
  expect(out).toSay('no-answer-connection-refused');
  expect((out + err).match(/connection-refused/g)).toHaveLength(1);
  expect(err).toSay('error-nothing-verified', 'E_TLS', 'h0');
  expect(out + err).not.toContain('was rejected');
});

test.each(['verify', 'verify --quiet'])(
  '%s says a failed check once, and its JSON says it in the error',
  async (words) => {
    await withDaemon(other, async (port) => {
      await imported(port);
      const { exit, out, err } = await run(...words.split(' '));
      expect(exit).toBe(7);
      expect(out).toMatch(/✗ client eve: client-refused: /);
      expect(err).toSay('error-checks-failed', 'E_VERIFY', 'h0');
      expect(err).not.toContain('client-refused');
      const { error } = JSON.parse((await run('verify', '--json')).out);
      expect(error).toMatchObject({
        code: 'E_VERIFY',
        message: expect.stringContaining('client-refused'),
        details: [],
      });
    });
  },
);

test('a host that rejects an imported client is named, with the command that says why', async () => {
  await withDaemon(other, (rejecting) =>
    withDaemon(ca, async (accepting) => {
      await imported(rejecting, accepting);
      const { out } = await run('status');
      expect(out).not.toContain('All is well');
      expect(out).toSay('rejects-revoked-not-applied', 'eve', 'h0');
      expect((await run('status', '--check')).exit).toBe(3);
      expect(out).toSay('rejected-revoked-not-applied', 'h0', 'eve');
      expect(out).toMatch(/^h1 .* eve +accepted$/m);
      expect(out).toSay('computer-set', 'docker-tls apply h0');
      const one = await run('status', 'h1', '--json');
      expect(JSON.parse(one.out).result.reached).toEqual([
        { host: 'h1', address: `127.0.0.1:${accepting}`, client: 'eve', access: 'accepted' },
      ]);
      expect((await run('status', '--offline')).out).toMatch(/^h0 .* eve +not asked$/m);
      await imported(accepting);
      expect((await run('status', '--check')).out).toSay('client-accepted-all-well', 'eve');
    }),
  );
});

test('where no host can tell, status says so', async () => {
  await imported(1);
  const { out, exit } = await run('status', '--check');
  expect([exit, out]).toEqual([3, expect.stringMatching(/unreachable\n\neve: h0: .*\n/)]);
  expect(out).toMatch(/^h0 .* eve +failed +\S/m);
});

test("a revoked client that is still this computer's own: another has to be chosen", async () => {
  await issueStore(home, { hosts: {}, clients: { laptop: undefined, spare: undefined } });
  const store = openStore(home);
  await makeOwn(store, 'laptop');
  await store.withLock('test', async () => {
    const laptop = (await store.read()).clients.get('laptop');
    if (laptop === undefined) throw new Error('just issued');
    await store.write({
      clients: { laptop: { ...laptop, record: { ...laptop.record, revokedAt: laptop.record.createdAt } } },
    });
  });
  const { out, exit } = await run('status', '--check');
  expect([exit, out]).toEqual([3, expect.toSay('own-client-revoked', 'laptop', 'client use spare')]);
  await makeOwn(store, 'spare');
  expect((await run('status', '--check')).exit).toBe(0);
});

test('a host that nobody knows: those are named that only an imported client knows, and the command is typed again', async () => {
  await imported(1);
  const wrong = await run('verify', 'nope', '--client', 'eve');
  expect(wrong.err).toSay('no-host-store-known', 'nope', 'h0');
  expect(wrong.err).toContain(`hint: docker-tls --home ${home} verify h0 --client eve\n`);
  const status = await run('status', 'h1');
  expect(status.err).toContain(`hint: docker-tls --home ${home} verify h0\n`);
});
