/** Hosts without a port in the network: nothing is claimed of them that was not looked at. */

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import type { Probe, ProbeOutcome, Runtime, SshOptions } from '../../../../src/core/runtime.ts';
import { answeringHosts } from '../../../support/answering-hosts.ts';
import { removeHomes } from '../../../support/store.ts';
import { closedBut, LISTENING, noPortPlace, outputs, PLAIN } from '../support/no-port.ts';

afterAll(removeHomes);

test('verify looks at the ports that must be closed', async () => {
  const place = await noPortPlace();
  const verify = async (probe: Probe) =>
    (await place.run(['verify', 'h1'], { probe }, { outputs })).json.result.hosts[0];
  const closed = await verify(closedBut());
  expect(closed.ok, JSON.stringify(closed)).toBe(true);
  expect(closed.checks.map(({ who }: { who: string }) => who)).toEqual([
    'socket ci',
    expect.stringContaining('socket ci (read)'),
    'plain HTTP, port 2375',
    'plain HTTP, port 2376',
  ]);
  expect((await verify(closedBut(2375, PLAIN))).ok).toBe(false);
  expect((await verify(closedBut(2376, PLAIN))).ok).toBe(false);
  expect((await verify(closedBut(2376, { cause: 'protocol' } as Partial<ProbeOutcome>))).ok).toBe(false);
});

test('a plan warns of a port of the daemon itself', async () => {
  const place = await noPortPlace();
  const drift = 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd -H fd:// -H tcp://0.0.0.0:2377 --tlsverify\n';
  const plan = async (facts: Readonly<Record<string, string>>) =>
    (await place.run(['plan', 'h1'], {}, { outputs, facts })).json.result.hosts[0].plan.warnings.join('\n');
  expect(await plan({ [LISTENING]: drift })).toSay('daemon-opens', 'tcp://0.0.0.0:2377');
  expect(await plan({})).toBe('');
});

test('setup looks at the ports that must be closed', async () => {
  const place = await noPortPlace();
  const apply = async (probe: Probe) => (await place.run(['apply', 'h1', '--yes'], { probe }, { outputs })).json;
  const open = await apply(closedBut(2376, PLAIN));
  expect([open.ok, open.error?.code], JSON.stringify(open)).toEqual([false, 'E_VERIFY']);
  expect((await apply(closedBut())).ok).toBe(true);
});

test('without a socket nothing is verified, and that is no success', async () => {
  const place = await noPortPlace({ sockets: [] });
  const verified = await place.run(['verify', 'h1'], { probe: closedBut() }, { outputs });
  expect([verified.exit, verified.json.ok], verified.out).toEqual([7, false]);
});

test('without the code of its listener nothing is verified, and that is no success', async () => {
  const place = await noPortPlace({ listener: 'dockerd' });
  const verified = await place.run(['verify', 'h1'], { probe: closedBut() }, { outputs });
  expect([verified.exit, verified.json.error?.code], verified.out).toEqual([4, 'E_NO_LISTENER']);
});

test('verify gives root the password for sudo', async () => {
  const place = await noPortPlace();
  const file = join(place.directory, 'sudo');
  writeFileSync(file, 'hunter2\n', { mode: 0o600 });
  const given: unknown[] = [];
  const connect = answeringHosts({ home: place.home, now: new Date(), outputs });
  const watching: typeof connect = (options) => {
    given.push((options as SshOptions).sudoPassword?.revealText());
    return connect(options);
  };
  const verify = ['verify', 'h1', '--sudo-password-file', file];
  const done = await place.run(verify, { probe: closedBut(), connect: watching as Runtime['connect'] });
  expect([done.exit, given], done.out).toEqual([0, ['hunter2']]);
});

test('status --no-ssh logs in to no host', async () => {
  const place = await noPortPlace();
  const connect = async (): Promise<never> => {
    throw new Error('it logged in');
  };
  const { json, exit } = await place.run(['status', '--no-ssh', '--check'], { connect });
  const row = json.result.rows.find(({ name }: { name: string }) => name === 'h1');
  // Nobody asked it: it is neither unreachable nor different.
  expect([row.unreachable, row.drift, exit]).toEqual([undefined, undefined, 0]);
});

test('a host with sockets for containers does not go back to dockerd before they are removed', async () => {
  const place = await noPortPlace({ listen: [], sockets: ['ci read', 'traefik monitor'] });
  const { json, exit } = await place.run(
    ['setup', 'h1', '--listener', 'dockerd', '--yes'],
    { probe: closedBut(2376, PLAIN) },
    { outputs },
  );
  expect([exit, json.error?.code]).toEqual([2, 'E_USAGE']);
  expect(json.error?.hints).toEqual(
    ['ci', 'traefik'].map((name) => expect.stringMatching(`socket remove ${name} h1$`)),
  );
});
