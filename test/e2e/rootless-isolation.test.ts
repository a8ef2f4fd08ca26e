/** Isolation of a rootless daemon's containers, tried from inside (src/features/audit/host/isolation/ways.sh) on a real host. */

import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type CliRun, runCli } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { meanOwn } from '../support/own-docker.ts';
import { newHome, removeHomes } from '../support/store.ts';

const home = newHome();
let host: LabHost;
beforeAll(async () => {
  [host] = (await labUp({ names: ['own-isolation'], suite: 'rootless' })) as [LabHost];
  await meanOwn(host);
  const login = [`rooty@${host.address}`, '--name', host.name, '-i', host.keyFile, '--host-key', 'accept-new'];
  const made = await run('setup', ...login, '--no-ca-passphrase', '--no-context', '--yes');
  expect(made.exit, made.err).toBe(0);
});
afterAll(async () => {
  await host?.down();
  removeHomes();
});

function run(...argv: string[]): Promise<CliRun> {
  return runCli([...argv, '--home', home], { env: { HOME: join(home, '..'), PATH: process.env.PATH } });
}

type Result = {
  readonly id: string;
  readonly state: string;
  readonly reason?: string;
  readonly evidence?: readonly { readonly place: string; readonly text: string }[];
};

/** What containers of the audit reached: state, or the text of the container. */
async function tried(): Promise<Record<string, string | undefined>> {
  const { json, err } = await run('audit', host.name, '--probe-containers', '--yes', '--json');
  const results = json.result?.subjects[0].results as readonly Result[] | undefined;
  expect(results, JSON.stringify(json.error) + err).toBeDefined();
  const wanted = (results ?? []).filter(({ id }) => id.startsWith('isolation.') || ['2.10', '2.15'].includes(id));
  const text = (evidence: Result['evidence']) =>
    evidence?.find(({ place }) => place === 'container of the audit')?.text;
  return Object.fromEntries(
    wanted.map(({ id, state, reason, evidence }) => [
      id,
      text(evidence) ?? (state === 'not-applicable' ? `${state}: ${reason}` : state),
    ]),
  );
}

async function restartWith(environment: string): Promise<void> {
  const directory = '/home/rooty/.config/systemd/user/docker.service.d';
  const lines = ['[Service]', ...(environment === '' ? [] : [`Environment=${environment}`])].join('\\n');
  await host.must(`mkdir -p ${directory} && printf '${lines}\\n' >${directory}/net.conf && chown -R rooty: ${directory}
    systemctl daemon-reload && systemctl restart docker && until docker ps >/dev/null; do sleep 0.2; done`);
}

test("each question has an answer, and RootlessKit's settings decide it", { timeout: 300_000 }, async () => {
  await host.must(`ip address add 169.254.169.254/32 dev lo
    /usr/bin/systemd-run --quiet --collect --unit metadata busybox httpd -f -p 169.254.169.254:80 -h /tmp`);
  expect(await tried()).toEqual({
    '2.10': expect.toSay('user-namespace-whole'),
    '2.15': expect.stringContaining('a set-user-ID program of root'),
    // slirp4netns leads to every address of the host but 127.0.0.1.
    'isolation.1': 'pass',
    'isolation.2': expect.stringMatching(/\(\d+\.\d+\.\d+\.\d+:\d+\)/),
    'isolation.3': 'pass',
    'isolation.4': expect.stringContaining('169.254.169.254'),
    'isolation.5': 'pass',
    'isolation.6': expect.stringContaining('ICMP'),
  });
  await restartWith('DOCKERD_ROOTLESS_ROOTLESSKIT_DISABLE_HOST_LOOPBACK=false');
  // The API without TLS, which a service of the host's own passes on.
  await host.must(`/usr/bin/systemd-run --quiet --collect --unit open-api \
    systemd-socket-activate -l 127.0.0.1:2375 /usr/lib/systemd/systemd-socket-proxyd /run/user/1004/docker.sock`);
  expect(await tried()).toMatchObject({
    'isolation.1': expect.stringMatching(/\(10\.0\.2\.2:\d+\)/),
    'isolation.3': expect.stringContaining('http://10.0.2.2:2375'),
    'isolation.5': 'pass',
  });
  expect(await host.must('docker ps -aq; docker images -q; docker network ls -q --filter type=custom')).toBe('');
});

test('without the number of its process nothing is said of the host', { timeout: 300_000 }, async () => {
  await host.must('mv /run/user/1004/docker.pid /run/user/1004/other.pid');
  const found = await tried();
  for (const id of ['isolation.1', 'isolation.2', 'isolation.3']) expect(found[id]).toSay('could-not-tried-inside');
  expect(found['isolation.5']).toBe('pass');
});
