/** Commands of bundles and requests in the hints of other commands. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { managedExternally } from '../../../../src/core/domain/plan/other-store.ts';
import { caBreaksClients, externalCaKey } from '../../../../src/core/domain/trust/ca-refusals.ts';
import { externalKey, noKeyHere, requestForOther } from '../../../../src/core/domain/trust/client-refusals.ts';
import { newCredentials } from '../../../../src/core/domain/trust/new-credentials.ts';
import { offeredCommands } from '../../../../src/core/seams/offered-commands.ts';
import type { Hint } from '../../../../src/errors/errors.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { keyElsewhere } from '../../../support/outside-clients.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { NO_CONTEXT } from '../support/no-context.ts';

let home: string;

beforeEach(() => {
  home = newHome();
});
afterAll(removeHomes);

/** What is typed, without what says where. */
const commandsIn = (hints: readonly Hint[]) => hints.map((hint) => `${hint}`.replace(/^.*?(?=docker-tls )/, ''));

test('new credentials: by a request, or from where the client was issued', () => {
  expect(commandsIn(newCredentials({ client: 'ann', external: true }))).toEqual([
    'docker-tls rotate client ann && docker-tls client export ann --out ann.tar',
    'docker-tls client import ann.tar',
  ]);
  expect(commandsIn(newCredentials({ client: 'ann', external: true, ownKey: true }))).toEqual([
    'docker-tls client request ann --out ann.csr',
    'docker-tls client sign ann.csr --out ann.tar',
    'docker-tls client import ann.tar',
  ]);
});

const REQUEST = 'docker-tls client request ann';
const SIGN = 'docker-tls client sign REQUEST';

test.each([
  [externalKey('ann'), [REQUEST, SIGN]],
  [requestForOther('ann', 'bob'), [REQUEST]],
  [noKeyHere(['ann'], 'build-1'), ['docker-tls client import FILE']],
  [externalCaKey(), [SIGN]],
  [caBreaksClients(['build-1'], ['ann']), [REQUEST, SIGN, 'docker-tls client export NAME --out NAME.tar']],
  [managedExternally('build-1', ''), ['docker-tls client request NAME']],
])('%s', ({ hints }, commands) => {
  expect(commandsIn(hints)).toEqual(expect.arrayContaining(commands));
});

test('renew: of a client whose key is on another computer', async () => {
  await issueStore(home, { clients: { ci: undefined }, days: 30 });
  await keyElsewhere(home, 'ci');
  const { err } = await runCli(['renew', '--home', home], { now: () => new Date(Date.now() + 25 * 86_400_000) });
  expect(err).toContain('client request ci');
  expect(err).not.toContain('rotate client --due');
});

test('client add: what hands the client out', async () => {
  await issueStore(home, { clients: { laptop: undefined } });
  const { out } = await runCli(['client', 'add', 'ci', '--home', home]);
  expect(out).toMatch(/^ *docker-tls .*client export ci --out ci\.tar$/m);
});

test('without a host: client import', async () => {
  const { json } = await runCli(['env', '--home', home, '--json', '--format', 'sh']);
  expect(json.error?.code).toBe('E_NO_HOSTS');
  expect(json.error?.hints.join()).toContain('client import FILE');
});

test('what status says to paste is what works, here and where the key is', async () => {
  await issueStore(home, { hosts: { up: {} }, clients: { laptop: undefined } });
  const env = { HOME: dirname(home) };
  const at = async (place: string, ...argv: string[]) =>
    runCli(argv, { env: { ...env, DOCKER_TLS_HOME: place }, cwd: dirname(home) });
  const colleague = join(dirname(home), 'ann');
  await at(colleague, 'client', 'request', 'ann', '--out', 'ann.csr');
  await at(home, 'client', 'sign', 'ann.csr', '--out', 'ann.tar');
  await at(colleague, 'client', 'import', 'ann.tar', ...NO_CONTEXT);
  const hints = async (place: string, days: number) => {
    const now = (): Date => new Date(Date.now() + days * 86_400_000);
    const { out } = await runCli(['status', '--offline'], { env: { ...env, DOCKER_TLS_HOME: place }, now });
    return out.split('\n').flatMap((line) => (/^ {2}[a-z]/.test(line) ? [line.trim()] : []));
  };
  const requested = ['on that computer: docker-tls client request ann', 'then here: docker-tls client sign REQUEST'];
  const rotate = ['docker-tls rotate server --due', ...requested, 'docker-tls rotate client laptop'];
  expect(await hints(home, 300)).toEqual(rotate);
  expect(await hints(home, 3660)).toEqual([...offeredCommands('new CA'), ...requested]);
  expect(await hints(colleague, 300)).toEqual([
    'docker-tls client request ann --out ann.csr',
    expect.toSay('computer-set', 'docker-tls client sign ann.csr --out ann.tar'),
    'docker-tls client import ann.tar',
  ]);
});

test('a request is signed on another computer, and imported on this one', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'hint-prefix-'));
  const argv = ['client', 'request', 'ann', '--out', join(directory, 'ann.csr'), '--home', directory];
  const { out, err } = await runCli(argv);
  rmSync(directory, { recursive: true });
  expect(err).toBe('');
  expect(out).toContain('where the CA is:  docker-tls client sign ');
  expect(out).toContain(`then here:        docker-tls --home ${directory} client import ann.tar`);
});
