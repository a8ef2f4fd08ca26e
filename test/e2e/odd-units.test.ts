/** Units, variables and a daemon.json that are written in ways that few hosts have, all on one host. */

import { afterAll, beforeAll, expect, test } from 'vitest';
import { buildProgram, type Program } from '../support/cli.ts';
import { type LabHost, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const DROP_IN = '/etc/systemd/system/docker.service.d/zz-docker-tls.conf';
const CONFIG = '/etc/my docker/daemon.json';
const FILES: Readonly<Record<string, string>> = {
  // Not ours, whatever its name.
  [DROP_IN]: `[Service]
Environment=DATA=/var/lib
ExecStart=
ExecStart=@/usr/sbin/dockerd docker -H fd:// --data-root=\${DATA}/docker "--config-file=${CONFIG}" $DOCKER_OPTS
`,
  '/etc/default/docker': 'DOCKER_OPTS="--label=is=read"\nexport DOCKER_OPTS="--no-such-flag"\n',
  [CONFIG]: 'null\n',
};

let program: Program;
let host: LabHost;
let person: Person;
let before: string;

async function put(path: string, text: string): Promise<void> {
  expect(await host.exec(`mkdir -p "$(dirname '${path}')" && cat >'${path}'`, { input: text })).toMatchObject({
    exit: 0,
  });
}
const look = (): Promise<string> =>
  host.must(
    `cd /etc && find docker 'my docker' default/docker systemd/system -printf '%M %p %l\\n' -type f -exec cat {} + | sort`,
  );

beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['odd-units'] })) as [LabHost];
  person = newPerson(program, [host]);
  for (const [path, text] of Object.entries(FILES)) await put(path, text);
  await host.must('systemctl daemon-reload && systemctl restart docker && docker info | grep is=read');
  before = await look();
});
afterAll(async () => {
  await host?.down();
  person?.remove();
  program?.remove();
});

test('setup keeps all of it, and a second one has nothing to do', async () => {
  const run = await person.run(person.setup(host));
  expect(run, run.err).toMatchObject({ status: 0 });
  expect(await host.must(`cat ${DROP_IN}`)).toBe(FILES[DROP_IN]?.trimEnd());
  expect(await host.must('docker info | grep is=read; tr "\\0" " " </proc/$(pidof docker)/cmdline')).toMatch(
    /is=read\ndocker -H fd:\/\/ --data-root=\/var\/lib\/docker --config-file=\/etc\/my docker\/daemon\.json --label=is=read --tlsverify/,
  );
  expect((await person.run(person.setup(host))).out).toContain('nothing to do');
});

test('a setting goes to that daemon.json, and remove brings all of it back', async () => {
  const harden = await person.run(['harden', host.name, '--only', 'log-limits,live-restore', '--yes']);
  expect(harden, harden.err).toMatchObject({ status: 0 });
  const run = await person.run(['remove', host.name, '--yes']);
  expect(run, run.err).toMatchObject({ status: 0 });
  expect(await look()).toBe(before);
});

test('TLS flags in a variable of a unit: the error names the drop-in, and its hints edit that one', async () => {
  await put(DROP_IN, '[Service]\nEnvironment="DOCKER_OPTS=-H tcp://127.0.0.1:2399 --icc=true"\n');
  await put('/etc/default/docker', '');
  await host.must('systemctl daemon-reload');
  const { status, err } = await person.run(person.setup(host));
  expect(status).toBe(4);
  expect(err).toSay('sets-listening-tls-flags', 'E_UNIT_VARIABLE', host.name, DROP_IN, ':2', 'DOCKER_OPTS');
  expect(err).toMatch(new RegExp(`hint: ssh -t .* (?:vi|nano) ${DROP_IN}`));
});
