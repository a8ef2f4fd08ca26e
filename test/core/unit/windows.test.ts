/** Differences on Windows: access lists instead of modes. */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { type AccessListCall, accessListCall, setAccessList } from '../../../src/core/adapters/store/access-list.ts';
import { makeDirectories } from '../../../src/core/adapters/store/store-files.ts';
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
