/** Pending requests of clients in `store copy`. */

import { execFileSync } from 'node:child_process';
import { existsSync, lstatSync, mkdirSync, readdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, afterEach, expect, test } from 'vitest';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';
import { newTeam } from '../support/team.ts';

const umask = process.umask(0o022);
afterEach(() => removeHomes());
afterAll(() => process.umask(umask));

async function copied(prepare: (requests: string) => void, { url, env }: Partial<Place> = {}) {
  const home = newHome();
  await issueStore(home, { hosts: {}, clients: { ci: undefined } });
  prepare(join(home, 'requests'));
  const to = join(dirname(home), 'copy');
  const { exit, err } = await runCli(['store', 'copy', '--to', url ?? to, '--home', home], { env });
  return { exit, err, to: join(to, 'requests') };
}
type Place = { readonly url: string; readonly env: Readonly<Record<string, string>> };

test('a pending request is open to nobody else in the copy; links, and files beside it, stay behind', async () => {
  const { exit, to } = await copied((requests) => {
    mkdirSync(join(requests, 'ann'), { recursive: true });
    writeFileSync(join(requests, 'ann/key.pem'), 'key');
    writeFileSync(join(requests, 'ann/request.pem'), 'request');
    writeFileSync(join(requests, 'ann/.swp'), 'x');
    writeFileSync(join(requests, 'notes'), 'x');
    symlinkSync('/etc', join(requests, 'etc'));
    symlinkSync('/etc/passwd', join(requests, 'ann/passwd'));
  });
  expect(exit).toBe(0);
  expect(readdirSync(to, { recursive: true }).sort()).toEqual(['ann', 'ann/key.pem', 'ann/request.pem']);
  const mode = (name: string) => lstatSync(join(to, name)).mode & 0o777;
  expect(['', 'ann', 'ann/key.pem', 'ann/request.pem'].map(mode)).toEqual([0o700, 0o700, 0o400, 0o400]);
  expect(readFileSync(join(to, 'ann/key.pem'), 'utf8')).toBe('key');
});

test('a link in place of the directory of requests is not followed', async () => {
  const { exit, to } = await copied((requests) => symlinkSync('/etc', requests));
  expect([exit, existsSync(to)]).toEqual([0, false]);
});

const LARGER_THAN_READ = 17 * 1024 * 1024;

test('a file that cannot be read is named, and nothing is written to the new store', async () => {
  const { repository, url, member } = newTeam();
  for (const place of [{}, { url, env: member('ada').env }]) {
    const { exit, err } = await copied((requests) => {
      mkdirSync(join(requests, 'ann'), { recursive: true });
      writeFileSync(join(requests, 'ann/key.pem'), Buffer.alloc(LARGER_THAN_READ));
    }, place);
    expect([exit, err]).toEqual([2, expect.stringMatching(/E_FILE.*requests\/ann\/key\.pem cannot be read/)]);
  }
  expect(execFileSync('git', ['--git-dir', repository, 'for-each-ref'], { encoding: 'utf8' })).toBe('');
});
