/** Copies of a client's papers follow its renewals: where they were made, whoever renews, and after a run that died. */

import { cpSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, expect, test } from 'vitest';
import { runCli } from '../support/cli.ts';
import { issueStore } from '../support/issued-store.ts';
import { newHome, removeHomes } from '../support/store.ts';

let home: string;
const folder = (name: string) => join(dirname(home), name);
const run = (dockerConfig: string, ...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: folder('nobody'), DOCKER_CONFIG: folder(dockerConfig) } });
const cert = () => readFileSync(join(home, 'clients/ci/cert.pem'), 'utf8');

/** The certificates of all contexts in a Docker config folder. */
function certsIn(dockerConfig: string): string[] {
  const tls = join(folder(dockerConfig), 'contexts/tls');
  return readdirSync(tls).map((id) => readFileSync(join(tls, id, 'docker/cert.pem'), 'utf8'));
}

beforeEach(async () => {
  home = newHome();
  await issueStore(home, { hosts: { web: {} }, clients: { ci: undefined } });
});
afterAll(() => removeHomes());

test('a renewal under another DOCKER_CONFIG reaches the copies where they are', async () => {
  expect((await run('ada', 'context', 'web', '--config-folder')).exit).toBe(0);
  expect((await run('bob', 'context', 'web')).exit).toBe(0);
  const renewed = await run('timer', 'rotate', 'client', 'ci', '--yes');
  expect(renewed.out).toContain('updated context web, the config folder, context web');
  expect([...certsIn('ada'), ...certsIn('bob')]).toEqual([cert(), cert()]);
  expect(readFileSync(join(folder('ada'), 'cert.pem'), 'utf8')).toBe(cert());
  expect(readdirSync(folder('bob'))).not.toContain('cert.pem');
  expect(readdirSync(dirname(home))).not.toContain('timer');
});

test('what a run that died left behind is mended by the next one, though nothing is due', async () => {
  await run('ada', 'context', 'web');
  cpSync(folder('ada'), folder('before'), { recursive: true });
  await run('ada', 'rotate', 'client', 'ci', '--yes');
  rmSync(folder('ada'), { recursive: true });
  cpSync(folder('before'), folder('ada'), { recursive: true });
  expect(certsIn('ada')).not.toEqual([cert()]);
  const next = await run('ada', 'rotate', 'client', '--due', '--yes');
  expect(next.out).toBe('Nothing is due.\nci: updated context web\n');
  expect(certsIn('ada')).toEqual([cert()]);
  expect((await run('ada', 'rotate', 'client', '--due', '--yes')).out).toBe('Nothing is due.\n');
});

test('a copy that is gone is said, and not made again', async () => {
  await run('ada', 'context', 'web');
  rmSync(folder('ada'), { recursive: true });
  const { exit, out } = await run('ada', 'rotate', 'client', 'ci', '--yes');
  expect(exit).toBe(0);
  expect(out).toContain(`not there any more, and so not updated: context web in ${folder('ada')}`);
  expect(readdirSync(dirname(home))).not.toContain('ada');
});
