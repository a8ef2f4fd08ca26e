import { describe, expect, test } from 'vitest';
import {
  defaultUlimits,
  givenTwice,
  isOn,
  parseArguments,
  parseDaemonJson,
  setting,
  tcpHosts,
  tlsModeOf,
} from '../../src/domain/audit/dockerd.ts';

function options(words: readonly string[], text?: string) {
  return { flags: parseArguments(['dockerd', ...words]), file: parseDaemonJson('/etc/docker/daemon.json', text) };
}

describe('command line of dockerd', () => {
  test.each([
    [['-H', 'tcp://1.2.3.4:2376'], { hosts: ['tcp://1.2.3.4:2376'] }],
    [['-Htcp://1.2.3.4:2376'], { hosts: ['tcp://1.2.3.4:2376'] }],
    [['-H=fd://', '--host=tcp://:1', '--host', 'unix:///x'], { hosts: ['fd://', 'tcp://:1', 'unix:///x'] }],
    [
      ['--tlskey', '/a b', '--tlsverify', '--tlscert=/c=d'],
      { tlskey: ['/a b'], tlsverify: ['true'], tlscert: ['/c=d'] },
    ],
    [['--tlsverify', '-D', '--icc=false'], { tlsverify: ['true'], debug: ['true'], icc: ['false'] }],
    [['--log-opt', 'max-size=1m', '--log-opt=max-file=2'], { 'log-opts': ['max-size=1m', 'max-file=2'] }],
    [['--insecure-registry', 'r:5000', '--', '--icc=false'], { 'insecure-registries': ['r:5000'] }],
    [['-l', 'debug', '-G', 'wheel', '-g', '/d'], { 'log-level': ['debug'], group: ['wheel'], 'data-root': ['/d'] }],
    [['--tlskey'], { tlskey: [''] }],
  ])('%j', (words, expected) => {
    expect(Object.fromEntries(parseArguments(['dockerd', ...words]))).toEqual(expected);
  });

  test('a flag beats daemon.json, and the last one wins', () => {
    const both = options(['--icc=true', '--icc=false'], '{"icc": true, "live-restore": true}');
    expect(isOn(both, 'icc', true)).toBe(false);
    expect(isOn(both, 'live-restore', false)).toBe(true);
    expect(isOn(both, 'userland-proxy', true)).toBe(true);
    expect(setting(both, 'icc')?.place).toBe('command line of dockerd');
    expect(givenTwice(both)).toEqual(['icc']);
  });

  // Each asked of dockerd 20.10, 26.1 and 28.5.
  test.each([
    [[], '{}', 'none'],
    [['--tls=false'], '{}', 'none'],
    [['--tls'], '{}', 'verified'],
    [[], '{"tls": true}', 'verified'],
    [['--tlsverify'], '{}', 'verified'],
    [['--tlsverify=false'], '{}', 'unverified'],
    [['--tls', '--tlsverify=false'], '{}', 'unverified'],
  ] as const)('%j and %s: TLS is %s', (words, text, mode) => {
    expect(tlsModeOf(options(words, text))).toBe(mode);
  });

  test('default limits are the same in both spellings', () => {
    expect([...defaultUlimits(options(['--default-ulimit', 'nofile=100:200', '--default-ulimit=nproc=9']))]).toEqual([
      'nofile=100:200',
      'nproc=9:9',
    ]);
    const text = '{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 100, "Hard": 200}}}';
    expect([...defaultUlimits(options([], text))]).toEqual(['nofile=100:200']);
  });

  test('only TCP addresses are TCP', () => {
    const many = options(
      ['-H', 'fd://', '-H', 'unix:///a:1', '-H', '0.0.0.0:2375'],
      '{\n"hosts":\n["tcp://[::]:2376", "npipe://x"]}',
    );
    expect(tcpHosts(many).map(({ address }) => address)).toEqual(['0.0.0.0:2375', 'tcp://[::]:2376']);
  });
});

describe('daemon.json', () => {
  test.each([
    ['', []],
    ['{}', []],
    ['\ufeff{}', []],
    ['{"a": 1, "a": 2}', []],
    ['{\n"a": 1,\n}', [expect.stringContaining('line 3')]],
    ['"text"', ['line 1: not an object']],
  ])('%j', (text, errors) => {
    const found = parseDaemonJson('/x', text).errors;
    if (errors.length === 0) expect(found).toEqual([]);
    else expect(found).toEqual(expect.arrayContaining(errors));
  });

  test('of a key that is there twice, the last one is judged, as dockerd takes it', () => {
    expect(setting(options([], '{"icc": false, "icc": true}'), 'icc')?.values).toEqual(['true']);
  });

  test('what a broken file says is still judged', () => {
    expect(setting(options([], '{"hosts": ["tcp://0.0.0.0:2375"],'), 'hosts')?.values).toEqual(['tcp://0.0.0.0:2375']);
  });
});
