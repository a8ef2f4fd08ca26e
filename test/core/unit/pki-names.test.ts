/** Names in certificates: parsing, refusal, comparison, proposal. */

import { describe, expect, test } from 'vitest';
import { covers, formatSan, parseSan, proposeSans, uniqueSans } from '../../../src/core/domain/pki/san.ts';
import { DockerTlsError } from '../../../src/errors/errors.ts';

const READ: readonly (readonly [text: string, formatted: string])[] = [
  ['build-1', 'DNS:build-1'],
  ['Build-1.Example.COM.', 'DNS:build-1.example.com'],
  ['  build-1\n', 'DNS:build-1'],
  ['*.example.com', 'DNS:*.example.com'],
  ['bücher.example', 'DNS:xn--bcher-kva.example'],
  ['*.bücher.example', 'DNS:*.xn--bcher-kva.example'],
  ['xn--bcher-kva.example', 'DNS:xn--bcher-kva.example'],
  ['my_host.lan', 'DNS:my_host.lan'],
  ['3com.example', 'DNS:3com.example'],
  ['localhost', 'DNS:localhost'],
  [`${'a'.repeat(63)}.example`, `DNS:${'a'.repeat(63)}.example`],
  ['DNS:build-1', 'DNS:build-1'],
  ['dns:Build-1', 'DNS:build-1'],
  ['10.0.0.5', 'IP:10.0.0.5'],
  ['IP:10.0.0.5', 'IP:10.0.0.5'],
  ['IP Address:2001:DB8::1', 'IP:2001:db8::1'],
  ['[2001:db8::1]', 'IP:2001:db8::1'],
  ['IP:[::1]', 'IP:::1'],
  ['::1', 'IP:::1'],
  ['::', 'IP:::'],
  // RFC 5952: 4.1 leading zeros, 4.2.2 a single zero group stays, 4.2.3 the longest run and the first of equals, 4.3 lower case, 5 mixed.
  ['2001:0db8:0000:0000:0000:0000:0000:0001', 'IP:2001:db8::1'],
  ['2001:db8:0:1:1:1:1:1', 'IP:2001:db8:0:1:1:1:1:1'],
  ['2001:0:0:1:0:0:0:1', 'IP:2001:0:0:1::1'],
  ['2001:db8:0:0:1:0:0:1', 'IP:2001:db8::1:0:0:1'],
  ['FE80::ABCD', 'IP:fe80::abcd'],
  ['::ffff:10.0.0.5', 'IP:::ffff:10.0.0.5'],
  ['::ffff:a00:5', 'IP:::ffff:10.0.0.5'],
  ['64:ff9b::192.0.2.33', 'IP:64:ff9b::c000:221'],
];

const REFUSED: readonly (readonly [text: string, hint: RegExp | undefined])[] = [
  ['', undefined],
  ['   ', undefined],
  ['DNS:', undefined],
  ['.', /give a name/],
  ['a..b', /give a name/],
  ['-a.example', /give a name/],
  ['a-.example', /give a name/],
  ['a b', /give a name/],
  ['a\u0000.example', /./],
  ['a,DNS:b', /./],
  ['a/b', /give a name/],
  ['$(reboot)', /give a name/],
  ['build-1:2376', /name alone: build-1$/],
  ['[::1]:2376', /name alone: \[::1\]$/],
  ['tcp://build-1:2376/x', /name alone: build-1$/],
  ['ssh://root@build-1', /name alone: build-1$/],
  ['root@build-1', /name alone: build-1$/],
  ['fe80::1%eth0', /without a zone/],
  ['*', /for instance/],
  ['a.*.example', /for instance/],
  ['a*.example.com', /for instance/],
  ['*.*.example.com', /for instance/],
  ['*.lan', /name\.tld/],
  ['10.0.0', /four parts/],
  ['300.1.1.1', /four parts/],
  ['new\nline', /give a name/],
  ['n\u00e9w\nline.example', /give a name/],
  ['0x7f.1', /four parts/],
  ['010.0.0.0x5', /four parts/],
  ['１２７.0.0.1', /four parts/],
  ['[build-1]', undefined],
  ['IP:build-1', undefined],
  ['DNS:10.0.0.5', /IP:10\.0\.0\.5/],
  ['2001:db8::1::2', /./],
  [`${'a'.repeat(64)}.example`, undefined],
  [`${'a.'.repeat(126)}ab`, undefined],
];

describe('parseSan', () => {
  test.each(READ)('%j is %s', (text, formatted) => {
    const name = parseSan(text);
    expect(formatSan(name)).toBe(formatted);
    expect(parseSan(formatted)).toEqual(name);
  });

  test.each(REFUSED)('%j is refused', (text, hint) => {
    try {
      parseSan(text);
      expect.unreachable('it was accepted');
    } catch (error) {
      expect(error).toBeInstanceOf(DockerTlsError);
      expect(error).toMatchObject({ code: 'E_NAME', exit: 2 });
      if (hint !== undefined) expect((error as DockerTlsError).hints.join('\n')).toMatch(hint);
    }
  });

  test('a name of 253 characters is the longest', () => {
    const longest = `${`${'a'.repeat(49)}.`.repeat(5)}abc`;
    expect(parseSan(longest).value).toHaveLength(253);
    expect(() => parseSan(`${longest}d`)).toThrow(/longer than 253/);
  });
});

test('uniqueSans keeps the first place', () => {
  expect(uniqueSans(['b', 'a', 'B.', '::1', '0:0::1'].map(parseSan)).map(formatSan)).toEqual([
    'DNS:b',
    'DNS:a',
    'IP:::1',
  ]);
});

const COVERED: readonly (readonly [sans: readonly string[], address: string, answer: boolean])[] = [
  [['build-1.example.com'], 'BUILD-1.example.com.', true],
  [['build-1.example.com'], 'build-1', false],
  [['build-1'], 'build-1.example.com', false],
  [['*.example.com'], 'build-1.example.com', true],
  [['*.example.com'], 'a.build-1.example.com', false],
  [['*.example.com'], 'example.com', false],
  [['*.example.com'], '*.example.com', false],
  [['bücher.example'], 'xn--bcher-kva.example', true],
  [['10.0.0.5'], '10.0.0.5', true],
  [['10.0.0.5'], '10.0.0.50', false],
  [['2001:db8::1'], '[2001:0db8:0::1]', true],
  [['DNS:localhost'], '127.0.0.1', false],
  [['127.0.0.1'], 'localhost', false],
  [['build-1'], 'not a name', false],
  [[], 'build-1', false],
];

test.each(COVERED)('%j covers %s: %s', (sans, address, answer) => {
  expect(covers(sans.map(parseSan), address)).toBe(answer);
});

describe('proposeSans', () => {
  test('what is dialled comes first, then what the host says, what was asked for, and localhost; each once', () => {
    const names = proposeSans({
      dialled: 'docker.example.com',
      hostname: 'build-1',
      fqdn: 'build-1.example.com',
      addresses: [
        '10.0.0.5/24',
        '2001:db8::5/64',
        '127.0.0.1',
        '::1',
        '169.254.3.4',
        'fe80::1',
        '224.0.0.1',
        'ff02::1',
        '0.0.0.0',
      ],
      extra: ['10.0.0.5', 'vpn.example.com', '169.254.9.9'],
    });
    expect(names.map(formatSan)).toEqual([
      'DNS:docker.example.com',
      'DNS:build-1.example.com',
      'DNS:build-1',
      'IP:10.0.0.5',
      'IP:2001:db8::5',
      'DNS:vpn.example.com',
      'IP:169.254.9.9',
      'DNS:localhost',
      'IP:127.0.0.1',
      'IP:::1',
    ]);
  });

  test('what a host says is dropped when it is no name, not believed', () => {
    const names = proposeSans({
      dialled: '10.0.0.5',
      hostname: 'evil\u001b[2J',
      fqdn: '*.example.com',
      addresses: ['nonsense', ''],
    });
    expect(names.map(formatSan)).toEqual(['IP:10.0.0.5', 'DNS:localhost', 'IP:127.0.0.1', 'IP:::1']);
  });

  test.each(['localhost', 'localhost.localdomain'])('the host name %s is not taken for its own', (fqdn) => {
    expect(proposeSans({ dialled: 'a', fqdn }).map(formatSan)).toEqual([
      'DNS:a',
      'DNS:localhost',
      'IP:127.0.0.1',
      'IP:::1',
    ]);
  });

  test('what a person gave is refused when it is no name', () => {
    expect(() => proposeSans({ dialled: 'a b' })).toThrow(expect.toSay('not-name-certificate'));
    expect(() => proposeSans({ dialled: 'a', extra: ['b:1'] })).toThrow(expect.toSay('not-name-certificate'));
  });
});
