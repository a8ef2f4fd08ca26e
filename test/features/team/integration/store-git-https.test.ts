/** Git store over HTTPS: a real git server, its own CA, and a password known to git's credential helper. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { readLog } from '../../../../src/features/team/store/signed-log.ts';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { newHome, removeHomes, sampleHost } from '../../../support/store.ts';
import { type GitServer, serveGit } from '../support/git-https.ts';
import { enrol, type Member, membersOf } from '../support/team.ts';

const PASSWORD = 'hunter2-of-git';
const directory = newHome();
const { GIT_CONFIG_GLOBAL, GIT_SSL_CAINFO } = process.env;
let server: GitServer;

beforeAll(async () => {
  // It would override git's own configuration.
  delete process.env.GIT_SSL_CAINFO;
  mkdirSync(directory, { recursive: true });
  const openssl = (...args: string[]) => execFileSync('openssl', args, { cwd: directory, stdio: 'pipe' });
  openssl(
    ...'req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=git -addext subjectAltName=IP:127.0.0.1 -keyout key.pem -out cert.pem'.split(
      ' ',
    ),
  );
  execFileSync('git', ['init', '-q', '--bare', join(directory, 'store.git')]);
  server = await serveGit(directory, { cert: join(directory, 'cert.pem'), key: join(directory, 'key.pem') }, PASSWORD);
});
afterAll(async () => {
  await server.stop();
  for (const [name, value] of Object.entries({ GIT_CONFIG_GLOBAL, GIT_SSL_CAINFO })) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
  removeHomes();
});

/** A user's git configuration. */
function configure(lines: readonly string[]): void {
  const file = join(directory, 'gitconfig');
  writeFileSync(file, lines.join('\n'));
  process.env.GIT_CONFIG_GLOBAL = file;
}

const trust = () => ['[http]', `sslCAInfo = ${join(directory, 'cert.pem')}`];
const credentials = (password: string) => [
  '[credential]',
  `helper = "!f() { echo username=ada; echo password=${password}; }; f"`,
];

function put(member: Member, name: string) {
  const store = teamStore(member.session());
  return store.withLock('docker-tls test', () => store.write({ hosts: { [name]: sampleHost(name, 1) } }));
}

test('is read and changed by two operators; without the CA or the password it is unreachable, and no password is shown', async () => {
  const { url, member } = membersOf(`git+https://127.0.0.1:${server.port}/store.git`);
  const [ada, bob] = [member('ada'), member('bob')];
  configure([...trust(), ...credentials(PASSWORD)]);
  // As every forge allows for logged-in users.
  execFileSync('git', ['--git-dir', join(directory, 'store.git'), 'config', 'http.receivepack', 'true']);
  await enrol(ada, bob);
  await Promise.all([put(ada, 'a'), put(bob, 'b')]);
  expect([...(await teamStore(ada.session()).read()).hosts.keys()]).toEqual(['a', 'b']);
  expect((await readLog(bob.session(), 10)).map(({ who }) => who)).toEqual(
    expect.arrayContaining(['ada (ada@laptop)', 'bob (bob@laptop)']),
  );
  expect(server.asked).toContain('POST /store.git/git-receive-pack');

  for (const config of [credentials(PASSWORD), [...trust(), ...credentials('wrong-one')], trust()]) {
    configure(config);
    const error = await put(ada, 'c').catch((caught) => caught);
    expect(error).toMatchObject({ code: 'E_STORE_UNREACHABLE', exit: 4, where: url });
    expect(JSON.stringify([error.message, error.hints, error.details])).not.toMatch(/hunter2|wrong-one/);
  }
});
