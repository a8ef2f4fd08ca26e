import { describe, expect, test } from 'vitest';
import { parseFlags } from '../../../../src/core/domain/dockerd/command-line.ts';
import { parseDaemonJson } from '../../../../src/core/domain/dockerd/daemon-json.ts';
import { flagged, givenTwice, isOn, setting, tlsModeOf } from '../../../../src/core/domain/dockerd/daemon-options.ts';
import type { AuditFacts } from '../../../../src/features/audit/domain/audit-facts.ts';
import { ownLimits } from '../../../../src/features/audit/domain/checks/running.ts';
import { exposedAddresses } from '../../../../src/features/audit/domain/exposure.ts';

function options(words: readonly string[], text?: string) {
  return {
    flags: parseFlags(words.map((word) => ({ raw: word, text: word }))),
    json: parseDaemonJson(text, '/etc/docker/daemon.json'),
  };
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
    // Grouped, as pflag reads them: each was tried on dockerd 26.1.
    [['-DH', 'fd://'], { debug: ['true'], hosts: ['fd://'] }],
    [['-DHfd://'], { debug: ['true'], hosts: ['fd://'] }],
    [['-DH=fd://', '-D=false'], { debug: ['true', 'false'], hosts: ['fd://'] }],
    [['-ldebug', '-Dlwarn'], { 'log-level': ['debug', 'warn'], debug: ['true'] }],
    [['-Dl', 'debug', '-Hunix:///x'], { debug: ['true'], 'log-level': ['debug'], hosts: ['unix:///x'] }],
    [['-H', '--tlsverify'], { hosts: ['--tlsverify'] }],
  ])('%j', (words, expected) => {
    const given = options(words);
    for (const [key, values] of Object.entries(expected)) expect(flagged(given, key)).toEqual(values);
    expect(given.flags.filter(({ name }) => name !== '').length).toBe(Object.values(expected).flat().length);
  });

  test('a flag beats daemon.json, and the last one wins', () => {
    const both = options(['--icc=true', '--icc=false'], '{"icc": true, "live-restore": true}');
    expect(isOn(both, 'icc', true)).toBe(false);
    expect(isOn(both, 'live-restore', false)).toBe(true);
    expect(isOn(both, 'userland-proxy', true)).toBe(true);
    expect(isOn(options([], '{"icc": null}'), 'icc', true)).toBe(true);
    expect(setting(both, 'icc')?.place).toSay('command-line-dockerd');
    expect(givenTwice(both)).toEqual(['icc']);
    // dockerd compares names: the old one of data-root with itself.
    expect(givenTwice(options(['--graph', '/y'], '{"graph": "/x"}'))).toEqual(['graph']);
    expect(givenTwice(options(['--graph', '/y'], '{"data-root": "/x"}'))).toEqual([]);
  });

  // Each was tried on dockerd 20.10, 26.1 and 28.5.
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
    const container = { name: 'web', running: true, ulimits: ['nofile=100:200', 'nproc=9:9'] };
    const limits = (daemon: ReturnType<typeof options>) => {
      const verdict = ownLimits({ daemon, engine: { containers: [container] } } as unknown as AuditFacts);
      return verdict.state === 'not-applicable' ? verdict.evidence?.map(({ text }) => text) : [];
    };
    expect(limits(options(['--default-ulimit', 'nofile=100:200', '--default-ulimit=nproc=9']))).toEqual([]);
    const text = '{"default-ulimits": {"nofile": {"Name": "nofile", "Soft": 100, "Hard": 200}}}';
    expect(limits(options([], text))).toEqual([expect.toSay('limit', 'nproc=9:9')]);
  });

  test('only TCP addresses are TCP', () => {
    const daemon = options(
      ['-H', 'fd://', '-H', '', '-H', 'unix:///a:1', '-H', '0.0.0.0:2375'],
      '{\n"hosts":\n["tcp://[::]:2376", "npipe://x", "tcp://0.0.0.0:2377 ", "tcp://[::]:", "build-1"]}',
    );
    const facts = { daemon, units: new Map(), listeners: [] } as unknown as AuditFacts;
    expect(exposedAddresses(facts).map(({ address }) => address)).toEqual([
      '0.0.0.0:2375',
      '[::]:2376',
      '0.0.0.0:2377',
      '[::]:2375',
      'build-1:2375',
    ]);
  });
});

describe('daemon.json', () => {
  test.each([
    ['', []],
    ['{}', []],
    ['\ufeff{}', []],
    ['{"a": 1, "a": 2}', []],
    ['{\n"a": 1,\n}', [expect.objectContaining({ line: 3 })]],
    ['"text"', [{ line: 1, reason: 'not an object' }]],
  ])('%j', (text, errors) => {
    const found = parseDaemonJson(text).errors;
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
