/** Renewal of a client's installed credentials: at every location, by any user, and after a run that died. */

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copySync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
const directory = (name: string) => join(dirname(home), name);
const run = (dockerConfig: string, ...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: directory('nobody'), DOCKER_CONFIG: directory(dockerConfig) } });
const cert = () => readFileSync(join(home, 'clients/ci/cert.pem'), 'utf8');

/** The certificates of all contexts in a Docker config directory. */
function certsIn(dockerConfig: string): string[] {
  const tls = join(directory(dockerConfig), 'contexts/tls');
  return readdirSync(tls).map((id) => readFileSync(join(tls, id, 'docker/cert.pem'), 'utf8'));
}

beforeEach(async () => {
  home = newHome();
  await issueStore(home, { hosts: { web: {} }, clients: { ci: undefined } });
});
afterAll(() => removeHomes());

test('a renewal under another DOCKER_CONFIG reaches the copies where they are', async () => {
  expect((await run('ada', 'context', 'web', '--config-directory')).exit).toBe(0);
  expect((await run('bob', 'context', 'web')).exit).toBe(0);
  const renewed = await run('timer', 'rotate', 'client', 'ci', '--yes');
  expect(renewed.out).toSay('updated-context-config-directory', 'web');
  expect([...certsIn('ada'), ...certsIn('bob')]).toEqual([cert(), cert()]);
  expect(readFileSync(join(directory('ada'), 'cert.pem'), 'utf8')).toBe(cert());
  expect(readdirSync(directory('bob'))).not.toContain('cert.pem');
  expect(readdirSync(dirname(home))).not.toContain('timer');
});

test('what a run that died left behind is fixed by the next one, though nothing is due', async () => {
  await run('ada', 'context', 'web');
  copySync(directory('ada'), directory('before'));
  await run('ada', 'rotate', 'client', 'ci', '--yes');
  removeSync(directory('ada'));
  copySync(directory('before'), directory('ada'));
  expect(certsIn('ada')).not.toEqual([cert()]);
  const next = await run('ada', 'rotate', 'client', '--due', '--yes');
  expect(next.out).toSay('nothing-due-but-copies', 'ci', 'web');
  expect(certsIn('ada')).toEqual([cert()]);
  expect((await run('ada', 'rotate', 'client', '--due', '--yes')).out).toBe('Nothing is due.\n');
});

test('a copy that is gone is said, and not made again', async () => {
  await run('ada', 'context', 'web');
  removeSync(directory('ada'));
  const { exit, err } = await run('ada', 'rotate', 'client', 'ci', '--yes');
  expect(exit).toBe(0);
  expect(err).toSay('gone-not-written-docker-tls', 'web', directory('ada'));
  expect(readdirSync(dirname(home))).not.toContain('ada');
});

test('a copy that cannot be updated is an error of its own, and the store has the new credentials', async () => {
  await run('ada', 'context', 'web');
  const meta = join(directory('ada'), 'contexts/meta');
  for (const id of readdirSync(meta)) writeFileSync(join(meta, id, 'meta.json'), '{"Name":');
  const before = cert();
  const { exit, json } = await run('ada', 'rotate', 'client', 'ci', '--yes', '--json');
  expect([exit, json.error?.code]).toEqual([4, 'E_CLIENT_COPY']);
  expect(cert()).not.toBe(before);
});
