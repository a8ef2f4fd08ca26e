/** Docker's copies of a client's files on this computer in a CA rotation. */

import { mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { copySync, removeSync } from 'fs-extra/esm';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { openStore } from '../../../../src/core/adapters/store/store.ts';
import { isFrom } from '../../../../src/core/domain/pki/inspect.ts';
import { COPIES } from '../../../../src/core/seams/copies.ts';
import '../../../../src/features/contexts/feature.ts';
import { runCli } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

let home: string;
const directory = (name: string) => join(dirname(home), name);
const run = (dockerConfig: string, ...argv: string[]) =>
  runCli([...argv, '--home', home], { env: { HOME: directory('nobody'), DOCKER_CONFIG: directory(dockerConfig) } });
const cert = () => readFileSync(join(home, 'clients/ci/cert.pem'), 'utf8');

beforeEach(async () => {
  home = newHome();
  await issueStore(home, { hosts: { web: {} }, clients: { ci: undefined } });
});
afterAll(() => removeHomes());

describe('a rotation of the CA', () => {
  const inDirectory = (name = 'cert.pem') => readFileSync(join(directory('ada'), name), 'utf8');
  const tell = async () => {
    const store = openStore(home);
    await store.withLock('test', async () => {
      const { hosts, ca, oldCas } = await store.read();
      const trust = [ca, ...oldCas].map((one) => one?.cert).join('');
      const told = [...hosts].map(([name, host]) => [name, { ...host, ca: trust }] as const);
      await store.write({ hosts: Object.fromEntries(told) });
    });
  };
  const toStage2 = async () => {
    await run('ada', 'rotate', 'ca', '--yes');
    await tell();
    return run('ada', 'rotate', 'ca', '--yes');
  };
  const drop = async () => {
    removeSync(join(home, 'hosts')); // No host answers here.
    return run('ada', 'rotate', 'ca', '--drop', '--yes');
  };

  test('reaches the files in the config directory itself in every stage', async () => {
    await run('ada', 'context', 'web', '--config-directory');
    const before = inDirectory();
    const { err } = await toStage2();
    expect(err).not.toContain('E_CLIENT_FILES');
    expect(inDirectory()).not.toBe(before);
    expect([inDirectory(), inDirectory('ca.pem')]).toEqual([
      cert(),
      readFileSync(join(home, 'clients/ci/ca.pem'), 'utf8'),
    ]);
    expect((await drop()).exit).toBe(0);
    expect([inDirectory(), inDirectory('ca.pem')]).toEqual([cert(), readFileSync(join(home, 'ca/ca.pem'), 'utf8')]);
    expect(isFrom(inDirectory(), inDirectory('ca.pem'), 'client', new Date())).toBe(true);
  });

  test('that died before the files were written is made good by the drop, before the old CA goes', async () => {
    await run('ada', 'context', 'web', '--config-directory');
    copySync(directory('ada'), directory('before'));
    await toStage2();
    removeSync(directory('ada'));
    copySync(directory('before'), directory('ada'));
    expect(inDirectory()).not.toBe(cert());
    expect((await drop()).exit).toBe(0);
    expect(inDirectory()).toBe(cert());
  });

  test('is not ended while docker here cannot be given its new files', async () => {
    await run('ada', 'context', 'web', '--config-directory');
    copySync(directory('ada'), directory('before'));
    await toStage2();
    removeSync(directory('ada'));
    mkdirSync(directory('ada'));
    mkdirSync(join(directory('ada'), 'cert.pem'));
    const refused = await drop();
    expect([refused.exit, refused.err]).toEqual([4, expect.toSay('old-ca-still-accepted')]);
    expect(refused.err).toContain('E_CLIENT_COPY');
    expect(readdirSync(join(home, 'ca/old'))).toHaveLength(1);
  });

  test('is not ended by a build that cannot give docker here its new files', async () => {
    await run('ada', 'context', 'web');
    await toStage2();
    const code = COPIES.all as (typeof COPIES.all)[number][];
    const before = code.splice(0);
    const refused = await drop().finally(() => code.push(...before));
    expect([refused.exit, refused.err]).toEqual([4, expect.toSay('old-ca-still-accepted')]);
    expect(refused.err).toContain('E_NO_FEATURE');
    expect(readdirSync(join(home, 'ca/old'))).toHaveLength(1);
  });

  test('that is not through refuses the drop before docker here gets any file', async () => {
    await run('ada', 'context', 'web');
    await run('ada', 'rotate', 'ca', '--yes');
    copySync(directory('ada'), directory('before'));
    for (const id of readdirSync(join(directory('ada'), 'contexts/meta')))
      writeFileSync(join(directory('ada'), 'contexts/meta', id, 'meta.json'), '{"Name":');
    const refused = await run('ada', 'rotate', 'ca', '--drop', '--yes', '--json');
    expect([refused.exit, refused.json.error?.code]).toEqual([3, 'E_CA_IN_USE']);
  });

  test("leaves other people's files alone that have taken their place, and says so", async () => {
    await run('ada', 'context', 'web', '--config-directory');
    rmSync(join(directory('ada'), 'cert.pem'));
    writeFileSync(join(directory('ada'), 'cert.pem'), 'theirs\n');
    const { err } = await toStage2();
    expect(err).toSay('not-updated-files', directory('ada'));
    expect(inDirectory()).toBe('theirs\n');
    expect((await drop()).exit).toBe(0);
  });
});
