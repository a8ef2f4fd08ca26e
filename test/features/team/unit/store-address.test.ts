import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { storeUrl } from '../../../../src/core/adapters/store/store-url.ts';
import { parseStoreAddress, sameStore } from '../../../../src/features/team/store/address.ts';
import { openLocal } from '../../../../src/features/team/store/local-copy.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

afterAll(removeHomes);

describe('the address of a shared store', () => {
  test.each([
    [
      'git+ssh://git@git.example.org/ops/docker-tls.git',
      'ssh://git@git.example.org/ops/docker-tls.git',
      'docker-tls',
      undefined,
    ],
    ['git+ssh://git@[2001:db8::1]:2222/~/store', 'ssh://git@[2001:db8::1]:2222/~/store', 'docker-tls', undefined],
    ['git+https://git.example.org/a.git?branch=ops/tls', 'https://git.example.org/a.git', 'ops/tls', undefined],
    [
      'git+file:///srv/store.git?branch=x&key=0123456789abcdef0123456789abcdef',
      'file:///srv/store.git',
      'x',
      '0123456789abcdef0123456789abcdef',
    ],
  ])('%s is one', (url, remote, branch, pinned) => {
    expect(parseStoreAddress(url)).toEqual({ url, kind: 'git', remote, branch, ...(pinned ? { pinned } : {}) });
  });

  test.each([
    'git@git.example.org:ops/docker-tls.git',
    'https://git.example.org/a.git',
    'git+ext://sh -c id',
    'git+ssh://-oProxyCommand=id/x',
    'git+ssh:///path',
    'git+file://host/path',
    'git+file:///',
    'git+ssh://git@h/a\nb',
    'git+ssh://git@h/a?branch=--upload-pack=id',
    'git+ssh://git@h/a?branch=a..b',
    'git+ssh://git@h/a?brunch=x',
    'git+ssh://git@h/a?key=short',
    'git+ssh://git@h/a.git#main',
  ])('%j is none', (url) => {
    expect(() => parseStoreAddress(url)).toThrowError(expect.objectContaining({ code: 'E_STORE_URL', exit: 2 }));
  });

  test.each([
    'git+https://ada:hunter2@git.example.org/a.git',
    'git+https://hunter2@git.example.org/a.git',
    'git+ssh://ada:hunter2@git.example.org/a.git',
  ])('with a password or token in it is refused, and that is not shown: %s', (url) => {
    expect(() => parseStoreAddress(url)).toThrowError(
      expect.objectContaining({ code: 'E_STORE_URL', message: expect.not.stringContaining('hunter2') }),
    );
  });
});

describe('the address of a store in etcd', () => {
  const fingerprint = '0123456789abcdef0123456789abcdef';
  test.each<[string, object]>([
    [
      'etcd://a.example:2379,b.example,[2001:db8::1]:1/ops/tls/',
      { endpoints: ['a.example:2379', 'b.example:2379', '[2001:db8::1]:1'], prefix: 'ops/tls', tls: true },
    ],
    [
      'etcd://127.0.0.1,localhost:1,[::1]/x?tls=off',
      { endpoints: ['127.0.0.1:2379', 'localhost:1', '[::1]:2379'], prefix: 'x', tls: false },
    ],
    [
      `etcd://a/x?ca=/a/ca.pem&cert=/a/c.pem&cert-key=/a/k.pem&user=ops&password=file:/a/p&key=${fingerprint}`,
      {
        endpoints: ['a:2379'],
        prefix: 'x',
        tls: true,
        ca: '/a/ca.pem',
        cert: '/a/c.pem',
        certKey: '/a/k.pem',
        user: 'ops',
        password: 'file:/a/p',
        pinned: fingerprint,
      },
    ],
  ])('%s is one', (url, expected) => {
    expect(parseStoreAddress(url)).toEqual({ url, kind: 'etcd', ...expected });
  });

  test.each([
    'etcd://a:2379',
    'etcd:///x',
    'etcd://a:0/x',
    'etcd://a:70000/x',
    'etcd://a,/x',
    'etcd://a/x y',
    'etcd://a/x?tls=off',
    'etcd://127.0.0.1,b/x?tls=off',
    'etcd://127.0.0.1/x?tls=off&ca=/a',
    'etcd://127.0.0.1.example.org/x?tls=off',
    'etcd://a/x?tls=on',
    'etcd://a/x?ca=ca.pem',
    'etcd://a/x?cert=/a',
    'etcd://a/x?user=a',
    'etcd://a/x?user=a&password=prompt',
    'etcd://a/x?key=short',
    'etcd://a/x?colour=red',
  ])('%s is none', (url) => {
    expect(() => parseStoreAddress(url)).toThrowError(expect.objectContaining({ code: 'E_STORE_URL', exit: 2 }));
  });

  test.each([
    ['etcd://ada:hunter2@a/x', 'E_STORE_URL'],
    ['etcd://a/x?user=a&password=hunter2', 'E_SECRET_REFERENCE'],
    ['etcd://a?user=a&password=hunter2', 'E_STORE_URL'],
    ['etcd://a/x?user=a&password=x#hunter2', 'E_STORE_URL'],
    ['etcd://a/x?user=a&password=x hunter2', 'E_STORE_URL'],
  ])('with a password in it is refused, and that is not shown: %s', (url, code) => {
    expect(() => parseStoreAddress(url)).toThrowError(
      expect.objectContaining({ code, message: expect.not.stringContaining('hunter2') }),
    );
  });

  test('may change its members and where credentials are, and be the same store', () => {
    expect(sameStore('etcd://a,b/x', 'etcd://b:2379,c/x?ca=/ca.pem')).toBe(true);
    expect(sameStore('etcd://a/x', 'etcd://b/x')).toBe(false);
    expect(sameStore('etcd://a/x', 'etcd://a/y')).toBe(false);
    expect(sameStore('git+file:///a', 'etcd://a/x')).toBe(false);
  });
});

test('the address of a repository is the same with the key that signs it, and another with another branch', () => {
  const key = '0123456789abcdef0123456789abcdef';
  expect(sameStore('git+file:///a', `git+file:///a?key=${key}`)).toBe(true);
  expect(sameStore('git+file:///a', 'git+file:///a?branch=docker-tls')).toBe(true);
  expect(sameStore('git+file:///a', 'git+file:///a?branch=x')).toBe(false);
  expect(sameStore('git+file:///a', 'git+file:///b')).toBe(false);
  // Of another version.
  expect(sameStore('s3://bucket', 'git+file:///b')).toBe(false);
});

describe('a directory', () => {
  test.each([
    ['holds a store of its own', '{"schema":1}\n', undefined],
    ['was used with another store', '{"schema":1,"store":"git+file:///a"}\n', 'git+file:///a'],
  ])('that %s is not used with this one', (_what, text, before) => {
    const home = newHome();
    mkdirSync(home, { recursive: true });
    writeFileSync(join(home, 'store.json'), text);
    expect(storeUrl({ home, url: undefined, env: {} })).toBe(before);
    expect(() => openLocal(home, 'git+file:///b').seen()).toThrowError(
      expect.objectContaining({ code: 'E_STORE_OTHER', exit: 2, where: home }),
    );
  });
});
