/**
 * A host whose logins, sudo and systemd carry variables that change what tools do, and names that our scripts use for themselves: everything
 * works as on any other host, the rollback by the timer included.
 */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { buildProgram, type Program, type ProgramRun } from '../support/cli.ts';
import { type LabHost, type LabUser, labUp } from '../support/lab.ts';
import { newPerson, type Person } from '../support/person.ts';

const HOSTILE: Readonly<Record<string, string>> = {
  ...{
    T: '/tmp',
    TXN: 'x',
    STATE: '/tmp',
    UNITS: '/tmp',
    LOCK: '/tmp/x',
    LIMIT: '0',
    NL: 'x',
    nonce: 'x',
    MORE_PATHS: '/',
  },
  ...{
    POSIXLY_CORRECT: '1',
    GREP_OPTIONS: '-v',
    GREP_COLORS: 'x',
    TAR_OPTIONS: '--delete',
    LS_COLORS: 'x',
    IFS: 'e/',
    CDPATH: '/usr:/tmp',
  },
  ...{
    LC_ALL: 'tr_TR.UTF-8',
    LANG: 'tr_TR.UTF-8',
    LANGUAGE: 'tr',
    TZ: 'Asia/Tokyo',
    BLOCK_SIZE: '1',
    DF_BLOCK_SIZE: '1M',
    TIME_STYLE: 'x',
  },
  ...{
    BASH_ENV: '/etc/hostile.sh',
    ENV: '/etc/hostile.sh',
    PS4: '$(touch /etc/pwned)',
    PERL5OPT: '-MNothing',
    PYTHONHOME: '/tmp',
    CURL_HOME: '/tmp',
  },
  ...{
    DOCKER_HOST: 'tcp://192.0.2.1:1',
    DOCKER_CONTEXT: 'no-such',
    DOCKER_TLS_VERIFY: '1',
    DOCKER_CERT_PATH: '/tmp',
    http_proxy: 'http://192.0.2.1:1',
    ALL_PROXY: 'http://192.0.2.1:1',
  },
  ...{
    SYSTEMD_LOG_LEVEL: 'debug',
    SYSTEMD_COLORS: '1',
    SYSTEMD_PAGER: 'cat',
    SYSTEMD_OFFLINE: '1',
    SYSTEMD_IGNORE_CHROOT: '1',
    DBUS_SYSTEM_BUS_ADDRESS: 'unix:path=/nonexistent',
  },
};
const lines = (quote: string): string =>
  Object.entries(HOSTILE)
    .map(([name, value]) => `${name}=${quote}${value}${quote}\n`)
    .join('');
/** What the manager hands on to every unit, dockerd and sshd included, which are not ours to protect. */
const UNIT_ONLY = [
  'T',
  'TXN',
  'STATE',
  'UNITS',
  'LOCK',
  'NL',
  'POSIXLY_CORRECT',
  'GREP_OPTIONS',
  'LC_ALL',
  'IFS',
  'CDPATH',
  'DOCKER_HOST',
  'DOCKER_CONTEXT',
];

const FILES: Readonly<Record<string, string>> = {
  '/etc/environment': lines('"'),
  '/etc/hostile.sh': 'touch /etc/pwned; echo pwned; exit 1\n',
  '/etc/hostile.rc': `${Object.entries(HOSTILE)
    .map(([name, value]) => `export ${name}='${value}'\n`)
    .join('')}set -f; umask 000; head() { echo hijacked; }; export -f head\n`,
  '/etc/ssh/sshd_config.d/hostile.conf': `PermitUserEnvironment yes\nSetEnv ${Object.entries(HOSTILE)
    .map(([name, value]) => `"${name}=${value}"`)
    .join(' ')}\n`,
  '/etc/systemd/system.conf.d/hostile.conf': `[Manager]\nDefaultEnvironment=${UNIT_ONLY.map((name) => `"${name}=${HOSTILE[name]}"`).join(' ')}\n`,
};

let program: Program;
let host: LabHost;
beforeAll(async () => {
  program = buildProgram();
  [host] = (await labUp({ names: ['hostile'] })) as [LabHost];
  for (const [path, text] of Object.entries(FILES)) {
    await host.must(`mkdir -p ${path.slice(0, path.lastIndexOf('/'))}`);
    await host.exec(`cat >${path}`, { input: text });
  }
  await host.must(
    `for home in /root /home/ops; do mkdir -p $home/.ssh; cat /etc/environment | tr -d '"' >$home/.ssh/environment
     sed -i '1i . /etc/hostile.rc' $home/.bashrc; done
     systemctl daemon-reexec; systemctl set-environment ${UNIT_ONLY.map((name) => `'${name}=${HOSTILE[name]}'`).join(' ')}
     systemctl restart ssh`,
  );
  await host.container('web');
});
afterAll(async () => {
  await host?.down();
  program?.remove();
});

type Login = { readonly user: LabUser; readonly transport: 'ssh2' | 'openssh' };
describe.each<Login>([
  { user: 'root', transport: 'ssh2' },
  { user: 'ops', transport: 'openssh' },
])('as $user by $transport', ({ user, transport }) => {
  let person: Person;

  beforeAll(() => {
    person = newPerson(program, [host]);
  });
  afterAll(() => person?.remove());

  async function done(argv: readonly string[]): Promise<ProgramRun> {
    const result = await person.run(argv);
    expect(result, result.err).toMatchObject({ status: 0 });
    return result;
  }
  const setup = (...more: readonly string[]): string[] => person.setup(host, ['--transport', transport, ...more], user);

  test('the variables are there for a user who logs in', async () => {
    const { out } = await host.ssh('env', { user });
    expect(out).toContain('\nT=/tmp\n');
    expect(out).toContain('POSIXLY_CORRECT=1\n');
    expect(await host.must('systemd-run -q --pipe env')).toContain('\nT=/tmp\n');
  });

  test('setup, a second one with nothing to do, rotate, rollback, audit', async () => {
    await done(setup());
    expect((await done(setup())).out).toContain('nothing to do');
    await done(['rotate', 'server', host.name, '--yes']);
    await done(['rollback', host.name, '--yes']);
    const { out } = await done(['audit', host.name, '--json']);
    expect(JSON.parse(out).result.subjects[0].results.length).toBeGreaterThan(20);
    expect(await host.must('docker inspect -f "{{.State.Running}} {{.RestartCount}}" web; [ ! -e /etc/pwned ]')).toBe(
      'true 0',
    );
  });

  test('a run that dies leaves the host to its timer, which takes the change back', async () => {
    const before = await host.must('cat /etc/systemd/system/docker-tls.socket; readlink /etc/docker/tls/current');
    const run = program.start(setup('--port', '2399', '--confirm-within', '10s'), { env: person.env, stdio: 'ignore' });
    await host.must('until [ -e /var/lib/docker-tls/txn/services ]; do sleep 0.01; done');
    run.kill('SIGKILL');
    await host.must(
      'tries=0; while [ -e /var/lib/docker-tls/txn ] && [ $tries -lt 300 ]; do tries=$((tries+1)); sleep 0.1; done',
    );
    expect(await host.must('cat /etc/systemd/system/docker-tls.socket; readlink /etc/docker/tls/current')).toBe(before);
    await done(['verify', host.name]);
  });

  test('remove', async () => {
    await done(['remove', host.name, '--yes']);
    expect(await host.must("find / -xdev -name '*docker-tls*' -not -path '/proc/*' -not -path '/tmp/*'")).toBe('');
    expect(await host.must('docker inspect -f "{{.State.Running}} {{.RestartCount}}" web')).toBe('true 0');
  });
});
