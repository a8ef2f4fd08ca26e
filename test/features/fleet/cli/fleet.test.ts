/** Commands on a fleet file, without a host: the verifying client, secrets that are read, settings for later. */

import { writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import type { HostSession, Probe, SshOptions } from '../../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { ANSWERING_KEY, answeringHosts } from '../../../support/answering-hosts.ts';
import { CertificateFactory } from '../../../support/certificate-factory.ts';
import { type CliSetting, runCli } from '../../../support/cli.ts';
import { FACTS_TIME_MS, GOOD_OUTPUT } from '../../../support/host-facts.ts';
import { issueStore, storeCa } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
let directory: string;
/** How hosts were dialled; none answers. */
let dialled: SshOptions[];

beforeEach(() => {
  home = newHome();
  directory = dirname(home);
  dialled = [];
});
afterAll(removeHomes);

function cli(argv: readonly string[], setting: CliSetting = {}) {
  return runCli([...argv, '--home', home], {
    cwd: directory,
    connect: (options) => {
      dialled.push(options);
      return Promise.reject(new DockerTlsError('E_SSH_REFUSED', 'no answer'));
    },
    ...setting,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), ...setting.env },
  });
}

/** A host that can be inspected. */
const fit: HostSession = {
  host: 'b1',
  user: 'root',
  login: { user: 'root', destination: '10.0.0.1' },
  dialled: '10.0.0.1',
  run: async () => ({ status: 0, stdout: GOOD_OUTPUT, stderr: '' }),
  close: async () => {},
  [Symbol.asyncDispose]: async () => {},
};
const setUpDry = (argv: readonly string[], env: CliSetting['env'] = {}) =>
  cli(['setup', ...argv, '--dry-run', '--json'], { env, connect: async () => fit, now: () => new Date(FACTS_TIME_MS) });

const write = (text: string) => writeFileSync(join(directory, 'fleet.yaml'), text);
const store = () => openStore(home).read();

describe('who verifies a host', () => {
  test.each([
    ['apply', ['--yes']],
    ['plan', []],
  ])('%s --client: a slip of the hand is no new client', async (verb, yes) => {
    await issueStore(home, { clients: { laptop: undefined } });
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { laptop:, ops: }\n');
    const { exit, json } = await cli([verb, '-f', 'fleet.yaml', '--client', 'labtop', ...yes, '--json']);
    const again = `docker-tls --home ${home} ${[verb, '-f', 'fleet.yaml', ...yes, '--json', '--client', 'laptop'].join(' ')}`;
    expect([exit, json.error?.code, json.error?.hints]).toEqual([2, 'E_CLIENT_UNKNOWN', [again]]);
    expect(dialled).toEqual([]);
    expect([...(await store()).clients.keys()]).toEqual(['laptop']);
  });

  test('one that the file names is made', async () => {
    write('version: 1\nca: { passphrase: none }\nhosts: { b1: }\nclients: { ops: }\n');
    const { json } = await cli(['apply', '-f', 'fleet.yaml', '--client', 'ops', '--yes', '--json']);
    expect(json.error?.code).toBe('E_SSH_REFUSED');
  });
});

test('what the file says of a client that is there counts from its next renewal, and that is said', async () => {
  await issueStore(home, { clients: { ops: undefined } });
  write('version: 1\nhosts: { b1: }\nclients: { ops: { key-type: p384, days: 30 } }\n');
  const note = `client ops: days and key-type count from its next renewal on: docker-tls --home ${home} rotate client ops`;
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).toContain(note);
  await cli(['apply', '-f', 'fleet.yaml', '--yes']);
  expect((await store()).clients.get('ops')?.record).toMatchObject({ keyType: 'p384', days: 30 });
  expect((await cli(['plan', '-f', 'fleet.yaml'])).err).not.toContain(note);
});

test('status -f: hosts are reached as the file says, and not as the store remembers from another computer', async () => {
  await issueStore(home, { hosts: { h1: {} } });
  write('version: 1\nhosts: { h1: { ssh: { destination: ci@h1.example.org, identities: [keys/ci] } } }\n');
  await cli(['status', '--json', '-f', 'fleet.yaml']);
  expect(dialled.map(({ destination, user, identities }) => [destination, user, identities])).toEqual([
    ['h1.example.org', 'ci', [join(directory, 'keys/ci')]],
  ]);
});

test('a file with the line ends of an editor on Windows is read', async () => {
  await issueStore(home, { hosts: { 'build-1': {} }, clients: { laptop: undefined } });
  write('version: 1\r\nhosts:\r\n  build-1: 127.0.0.1\r\n');
  const { exit, json } = await cli(['status', '--offline', '-f', 'fleet.yaml', '--json'], {
    env: { OS: 'Windows_NT' },
  });
  expect({ exit, error: json.error }).toEqual({ exit: 0, error: undefined });
});

test('an imported CA: a file that revokes a client is refused without its own yes, for hosts would list their clients', async () => {
  const factory = new CertificateFactory();
  const ca = factory.issue('company', { ca: true });
  await storeCa(home, ca);
  factory.remove();
  await issueStore(home, { hosts: { 'build-1': {}, 'build-2': {} }, clients: { laptop: undefined, eve: undefined } });
  write(
    'version: 1\nhosts: { build-1: 127.0.0.1, build-2: 127.0.0.2 }\nclients: { eve: { revoked: true }, laptop: {} }\n',
  );
  const before = await store();
  const { exit, json } = await cli(['apply', '-f', 'fleet.yaml', '--yes', '--json']);
  expect([exit, json.error?.code, json.error?.where]).toEqual([4, 'E_OTHER_CLIENTS', 'build-1, build-2']);
  expect(json.error?.message).toContain('clients of the CA "company"');
  expect(json.error?.hints.join('\n')).toContain('--reject-other-clients');
  expect([await store(), dialled]).toEqual([before, []]);
});

test('host-key: accept-new in the file: the record has the key, and the next run connects to that key alone', async () => {
  const now = new Date();
  await issueStore(home, { now, hosts: { h1: {} }, clients: { laptop: undefined } });
  write('version: 1\nca: { passphrase: none }\ndefaults: { ssh: { host-key: accept-new } }\nhosts: { h1: }\n');
  const { hosts, clients } = await store();
  const served = hosts.get('h1')?.serverCert ?? '';
  const laptop = clients.get('laptop')?.cert;
  const probe: Probe = async ({ credentials, maxVersion }) =>
    credentials?.cert === laptop && maxVersion === undefined
      ? { kind: 'accepted', status: 200, body: '', protocol: 'TLSv1.3', chain: served, elapsedMs: 1 }
      : { kind: 'refused', cause: 'client-refused', reason: 'why', chain: served, elapsedMs: 1 };
  const shown = `${ANSWERING_KEY.type} ${ANSWERING_KEY.base64}`;
  const asked: (string | undefined)[] = [];
  const hostKey = async () => (await store()).hosts.get('h1')?.record.ssh.hostKey;
  const apply = () => {
    const connect = answeringHosts({ home, now });
    return cli(['apply', '-f', 'fleet.yaml', '--yes'], {
      now: () => now,
      probe,
      connect: (options) => {
        asked.push(options.hostKey);
        return connect(options);
      },
    });
  };
  expect((await apply()).exit).toBe(0);
  expect([await hostKey(), asked.splice(0)[0]]).toEqual([shown, 'accept-new']);
  expect((await apply()).exit).toBe(0);
  expect([await hostKey(), new Set(asked)]).toEqual([shown, new Set([shown])]);
});

describe('setup -f', () => {
  const FLEET = `version: 1
ca: { name: farm, key-type: p384, days: 100, passphrase: "env:WORDS" }
defaults: { sudo-password: "file:pw" }
hosts: { b1: root@10.0.0.1 }
`;

  test.each([['b1'], ['root@new.example.org']])('%s: the secrets are those that the file names', async (host) => {
    write(FLEET);
    writeFileSync(join(directory, 'pw'), 'sesame\n', { mode: 0o600 });
    await cli(['setup', host, '-f', 'fleet.yaml', '--yes']);
    expect(dialled.map(({ sudoPassword }) => sudoPassword?.revealText())).toEqual(['sesame']);
  });

  test('the CA is made as the file wants it, its key under the words that the file names', async () => {
    write(FLEET);
    writeFileSync(join(directory, 'pw'), 'sesame\n', { mode: 0o600 });
    const run = (env: CliSetting['env']) => setUpDry(['b1', '-f', 'fleet.yaml'], env);
    const planned = await run({});
    expect(planned.json.error).toBeUndefined();
    const ca = { change: 'create-ca', name: 'farm', keyType: 'p384', days: 100 };
    expect(planned.json.result.credentials).toContainEqual(expect.objectContaining(ca));
    // A plan needs no secret of the CA; issuing does.
    const made = await cli(['client', 'add', 'ops', '-f', 'fleet.yaml', '--yes']);
    expect(made.err).toContain('E_SECRET_ENV');
  });
});
