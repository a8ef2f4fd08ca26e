/** Differences on Windows: access lists instead of modes, and files with its editors' line ends. */

import { existsSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { afterAll, beforeEach, describe, expect, test } from 'vitest';
import { type AccessListCall, accessListCall, setAccessList } from '../../../src/core/adapters/store/access-list.ts';
import { makeDirectories } from '../../../src/core/adapters/store/store-files.ts';
import { runCli } from '../../support/cli.ts';
import { issueStore } from '../../support/issued-store.ts';
import { newHome, removeHomes } from '../../support/store.ts';

afterAll(removeHomes);

const ENV = { SystemRoot: 'D:\\Windows', USERDOMAIN: 'OFFICE', PATH: 'C:\\elsewhere' };

describe('the access list of a directory', () => {
  test('its user and the system, nothing inherited, by the icacls of Windows itself', () => {
    expect(accessListCall('C:\\Users\\Ann Lee\\.docker\\tls', ENV, 'Ann Lee')).toEqual({
      program: 'D:\\Windows\\System32\\icacls.exe',
      args: [
        'C:\\Users\\Ann Lee\\.docker\\tls',
        '/inheritance:r',
        '/grant:r',
        'OFFICE\\Ann Lee:(OI)(CI)F',
        '*S-1-5-18:(OI)(CI)F',
      ],
    });
    expect(accessListCall('C:\\x', {}, 'ann')).toMatchObject({
      program: 'C:\\Windows\\System32\\icacls.exe',
      args: expect.arrayContaining(['ann:(OI)(CI)F']),
    });
  });

  test('is set once, on the store itself, before a file is in it', () => {
    const home = join(newHome(), 'a/b/tls');
    const closed: string[] = [];
    expect(makeDirectories(home, (path) => closed.push(path)).at(-1)).toBe(home);
    expect(makeDirectories(home, (path) => closed.push(path))).toEqual([]);
    expect(closed).toEqual([home]);
  });

  test('that cannot be set is an error, and leaves no directory that would be used without it', () => {
    const home = join(newHome(), 'tls');
    const fails = (_: AccessListCall) => {
      throw new Error('exit 5');
    };
    const call = () => makeDirectories(home, (path) => setAccessList(path, 'ann', ENV, fails));
    expect(call).toThrow(expect.objectContaining({ code: 'E_STORE_MODES', exit: 2 }));
    expect(existsSync(home)).toBe(false);
  });
});

describe('files with CRLF', () => {
  let home: string;
  beforeEach(async () => {
    home = newHome();
    await issueStore(home, { hosts: { 'build-1': {} }, clients: { laptop: undefined } });
  });
  const cli = (...argv: string[]) =>
    runCli([...argv, '--json'], {
      cwd: dirname(home),
      env: { HOME: dirname(home), DOCKER_CONFIG: join(dirname(home), 'docker'), OS: 'Windows_NT' },
    });

  test('a fleet file is read', async () => {
    writeFileSync(join(dirname(home), 'fleet.yaml'), 'version: 1\r\nhosts:\r\n  build-1: 127.0.0.1\r\n');
    const { exit, json } = await cli('status', '--offline', '-f', 'fleet.yaml', '--home', home);
    expect({ exit, error: json.error }).toEqual({ exit: 0, error: undefined });
  });
});
