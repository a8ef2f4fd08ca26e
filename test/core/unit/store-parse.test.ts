import { describe, expect, test } from 'vitest';
import {
  CA_FILE,
  CLIENT_FILE,
  caDirectoryName,
  certificateProblem,
  HOST_FILE,
} from '../../../src/core/adapters/store/parse-records.ts';
import { keyProblem } from '../../../src/core/adapters/store/store-pem.ts';
import { checkName, nameProblem } from '../../../src/core/domain/names.ts';
import { sampleCa, sampleClient, sampleHost } from '../../support/store.ts';
import { CREDENTIALS, KEY_FORMS, SHORT_SERIAL } from '../../support/store-credentials.ts';

describe('names', () => {
  test.each(['a', '0', 'build-1', 'anna@laptop', 'a.b', 'Web_2+x', 'console', 'com', 'com10', `a${'b'.repeat(127)}`])(
    '%s is one',
    (name) => {
      expect(nameProblem(name)).toBeUndefined();
      expect(checkName('host', name)).toBe(name);
    },
  );

  test.each([
    ['', 'empty'],
    ['.', 'begin'],
    ['..', 'begin'],
    ['.hidden', 'begin'],
    ['-rf', 'begin'],
    ['_x', 'begin'],
    ['a..b', 'two dots'],
    ['a.', 'ends in a dot'],
    ['a/b', 'characters'],
    ['a\\b', 'characters'],
    ['a:b', 'characters'],
    ['a b', 'characters'],
    ['a\n', 'characters'],
    ['a\u0000', 'characters'],
    ['büro', 'characters'],
    ['a\u202eb', 'characters'],
    ['con', 'Windows'],
    ['NUL', 'Windows'],
    ['aux.txt', 'Windows'],
    ['com1', 'Windows'],
    ['LPT9.x', 'Windows'],
    ['a'.repeat(129), 'longer'],
  ])('%j is none', (name, why) => {
    expect(nameProblem(name)).toContain(why);
    expect(() => checkName('client', name)).toThrowError(expect.objectContaining({ code: 'E_NAME', exit: 2 }));
  });
});

describe('records', () => {
  const host = sampleHost('web', 1).record;
  const client = sampleClient('anna', 1).record;
  const ca = sampleCa(1).record;

  test('come back as they went in, unknown keys included', () => {
    const extended = { ...host, later: { version: 2 } };
    expect(HOST_FILE.read(HOST_FILE.write(extended))).toEqual({ ok: true, value: extended });
    expect(CLIENT_FILE.read(CLIENT_FILE.write(client))).toEqual({ ok: true, value: client });
    expect(CA_FILE.read(CA_FILE.write(ca))).toEqual({ ok: true, value: ca });
  });

  test('hold text where values are read from text', () => {
    expect(JSON.parse(HOST_FILE.write(host))).toMatchObject({ sans: ['other.example', '10.0.0.1'], port: 2376 });
  });

  const json = JSON.parse(HOST_FILE.write(host)) as Record<string, unknown>;
  test.each([
    ['an empty file', '', expect.stringContaining('is empty')],
    ['half a file', JSON.stringify(json).slice(0, 80), expect.stringContaining('is not JSON')],
    ['a list', '[]', expect.toSay('does-not-hold-json')],
    ['null', 'null', expect.toSay('does-not-hold-json')],
    ['no name', JSON.stringify({ ...json, name: undefined }), expect.toSay('name-missing')],
    ['an empty address', JSON.stringify({ ...json, address: '' }), expect.toSay('not-name-certificate')],
    ['port 0', JSON.stringify({ ...json, port: 0 }), expect.toSay('port-least', '1')],
    ['a port as text', JSON.stringify({ ...json, port: '2376' }), expect.toSay('expected-port-not-text-2')],
    [
      'a wrong ssh port',
      JSON.stringify({ ...json, ssh: { destination: 'x', port: 70000 } }),
      expect.toSay('ssh-port-port-most', '65535'),
    ],
    [
      'a destination with words of ssh',
      JSON.stringify({ ...json, ssh: { destination: 'x$(id)' } }),
      expect.toSay('not-host'),
    ],
    [
      'a destination with a user',
      JSON.stringify({ ...json, ssh: { destination: 'root@x' } }),
      expect.toSay('not-name-address'),
    ],
    [
      'a host key that is none',
      JSON.stringify({ ...json, ssh: { destination: 'x', hostKey: 'a b' } }),
      expect.toSay('nor-public-key'),
    ],
    ['ssh as text', JSON.stringify({ ...json, ssh: 'root@x' }), expect.toSay('expected-ssh-not-text')],
    ['numbers as SANs', JSON.stringify({ ...json, sans: [1] }), expect.toSay('text-expected', 'sans.0')],
    ['an unknown key type', JSON.stringify({ ...json, keyType: 'dsa' }), expect.toSay('dsa-not-possible-keytype')],
    ['days below 0', JSON.stringify({ ...json, days: -1 }), expect.toSay('days-least', '1')],
    [
      'a time that is none',
      JSON.stringify({ ...json, createdAt: 'yesterday-ish' }),
      expect.toSay('createdat-not-time'),
    ],
    [
      'null for an optional flag',
      JSON.stringify({ ...json, liveRestore: null }),
      expect.toSay('expected-liverestore-not-nothing'),
    ],
    [
      'an inherited name',
      JSON.stringify({ ...json, toString: 1 }).replace('"address"', '"Address"'),
      expect.toSay('address-missing'),
    ],
  ])('%s is refused', (_what, text, problem) => {
    expect(HOST_FILE.read(text)).toEqual({ ok: false, problem });
  });

  test('all that is wrong is named at once', () => {
    const read = HOST_FILE.read(JSON.stringify({ ...json, port: 'x', days: 'y' }));
    expect(read).toEqual({
      ok: false,
      problem: expect.toSay('expected-port-not-text'),
    });
  });

  test('settings that are not there have their defaults', () => {
    const { keep: _, sans: __, ...older } = json;
    expect(HOST_FILE.read(JSON.stringify(older))).toMatchObject({ ok: true, value: { keep: 5, sans: [] } });
  });
});

describe('PEM', () => {
  const [one, two] = [CREDENTIALS[0].cert, CREDENTIALS[1].cert];

  test.each([
    ['one certificate', one],
    ['two', one + two],
    ['with the text that openssl prints before it', `Certificate:\n    Data:\n        Version: 3 (0x2)\n${one}`],
    ['with CRLF', one.replaceAll('\n', '\r\n')],
  ])('%s is right', (_what, text) => {
    expect(certificateProblem(text)).toBeUndefined();
  });

  test.each([
    ['nothing', '', 'is empty'],
    ['text', 'hello', 'no certificate'],
    ['a key', CREDENTIALS[0].key, 'no certificate'],
    ['cut off', one.slice(0, 200), 'no certificate'],
    ['the second cut off', one + two.slice(0, 200), 'truncated'],
    ['a certificate and its key', one + CREDENTIALS[0].key, 'something else'],
    [
      'bytes that are no certificate',
      '-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n',
      'cannot be read',
    ],
    ['lines lost', `${one.split('\n').toSpliced(3, 2).join('\n')}`, 'cannot be read'],
  ])('%s is refused', (_what, text, problem) => {
    expect(certificateProblem(text)).toContain(problem);
  });

  test.each([...CREDENTIALS.map(({ key }) => key), ...KEY_FORMS])('a key is right: %.31s', (text) => {
    expect(keyProblem(text)).toBeUndefined();
    expect(keyProblem(text.slice(0, -20))).toSay('holds-no-private-key');
    expect(keyProblem(text + one)).toSay('holds-no-private-key');
  });

  test('other things are no key', () => {
    expect(keyProblem('')).toBe('is empty');
    expect(keyProblem(one)).toSay('holds-no-private-key');
    expect(keyProblem(CREDENTIALS[0].key.replace('END PRIVATE', 'END EC PRIVATE'))).toSay('holds-no-private-key');
  });

  test('a CA that numbers its certificates gets a directory of its own', () => {
    expect(caDirectoryName(one)).toMatch(/^[0-9A-F]{40}$/);
    expect(caDirectoryName(SHORT_SERIAL)).toMatch(/^0?1-[0-9A-F]{16}$/);
  });
});
