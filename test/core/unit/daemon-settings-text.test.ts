/** Unit files, command lines, daemon.json and drop-ins, as systemd and dockerd read them. */

import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import {
  flagValues,
  parseCommandLine,
  parseListener,
  renderCommandLine,
  variableOf,
} from '../../../src/core/domain/dockerd/command-line.ts';
import { editDaemonJson, lineOfKey, parseDaemonJson } from '../../../src/core/domain/dockerd/daemon-json.ts';
import {
  dropInName,
  hasOurName,
  renderClosedService,
  renderSocketUnit,
} from '../../../src/core/domain/dockerd/drop-in.ts';
import { environmentValue, replaceValue } from '../../../src/core/domain/dockerd/environment-file.ts';
import { effectiveList, parseUnit, splitWords, unitWord } from '../../../src/core/domain/dockerd/unit.ts';
import { validationCommand } from '../../../src/core/domain/dockerd/validate.ts';

describe('unit files', () => {
  test('continued lines, comments between them, places', () => {
    const text =
      '[Unit]\n# no\n[Service]\nExecStart=/usr/bin/dockerd \\\n  # inside\n  -H fd:// \\\n  --debug\n;x\nType = notify\n';
    expect(parseUnit({ path: 'u', text })).toEqual(
      [
        { path: 'u', line: 4, section: 'Service', key: 'ExecStart', value: '/usr/bin/dockerd -H fd:// --debug' },
        { path: 'u', line: 9, section: 'Service', key: 'Type', value: 'notify' },
      ].map((setting) => ({
        ...setting,
        value: expect.stringMatching(new RegExp(`^${setting.value.replaceAll(' ', '\\s+')}$`)),
      })),
    );
  });

  test('an empty assignment takes back what was before, over files', () => {
    const files = [
      { path: 'a', text: '[Service]\nExecStart=/one\n' },
      { path: 'b', text: '[Service]\nExecStart=\nExecStart=/two\n[Install]\nExecStart=/no\n' },
    ];
    expect(effectiveList(files, 'Service', 'ExecStart').map(({ path, value }) => [path, value])).toEqual([
      ['b', '/two'],
    ]);
  });

  test('words: quotes and escapes; every text survives being written and read', () => {
    expect(splitWords(`a "b c" 'd "e' f\\ g`).map(({ text }) => text)).toEqual(['a', 'b c', 'd "e', 'f g']);
    fc.assert(
      fc.property(fc.stringMatching(/^[ -~]{1,30}$/), (value) => {
        const [word, ...rest] = splitWords(unitWord(value));
        expect(rest).toEqual([]);
        expect(word?.text.replaceAll('%%', '%').replaceAll('$$', '$')).toBe(value);
      }),
    );
  });
});

/** A variable in a unit's form: biome reports literal braces as a mistake. */
function braced(name: string): string {
  return `$\{${name}}`;
}

describe('command lines of dockerd', () => {
  const unset = (): undefined => undefined;

  // As systemd 252, 257 and 262 pass them on.
  test('braced variables are filled in, inside words too; $NAME stays, and so does what @ makes the name', () => {
    const values: Readonly<Record<string, string>> = { DATA: '/a b', OPTS: '--icc=false' };
    const text = `@/usr/bin/dockerd docker[1] --data-root=${braced('DATA')}/x ${braced('OPTS')} "--label=a\\x20$${braced('DATA')}\\040${braced('NO')}b" $OPTS`;
    const line = parseCommandLine(text, (name) => values[name]);
    expect(line?.flags.map(({ name, value }) => `${name}=${value}`)).toEqual([
      '--data-root=/a b/x',
      '--icc=false',
      `--label=a ${braced('DATA')} b`,
      '=$OPTS',
    ]);
    expect(line?.flags.map(variableOf)).toEqual([undefined, undefined, undefined, 'OPTS']);
    if (line === undefined) throw new Error('not read');
    expect(renderCommandLine(line, (flag) => flag.name === '--icc', [])).toBe(text.replace(` ${braced('OPTS')}`, ''));
    expect(
      parseCommandLine(`:/usr/bin/dockerd --label=${braced('DATA')}`, (name) => values[name])?.flags[0]?.value,
    ).toBe(braced('DATA'));
  });

  test('env may start it, with variables and without options', () => {
    const text = `-/usr/bin/env PATH=${braced('BIN')}:/usr/sbin "A=b c" ${braced('BIN')}/dockerd --host=fd:// $DOCKER_OPTS`;
    const line = parseCommandLine(text, () => '/opt/bin');
    if (line === undefined) throw new Error('not read');
    expect(line).toMatchObject({ program: '/opt/bin/dockerd', environment: ['PATH=/opt/bin:/usr/sbin', 'A=b c'] });
    expect(flagValues(line.flags, '--host')).toEqual(['fd://']);
    expect(renderCommandLine(line, () => false, ['--tlsverify'])).toBe(`${text} --tlsverify`);
    for (const other of ['env -i dockerd', 'env -S "dockerd -D"', 'env A=b', '@/usr/bin/env env dockerd', 'sh dockerd'])
      expect(parseCommandLine(other, unset)).toBeUndefined();
  });

  test('flags in every spelling; the rest of the line stays as it was written', () => {
    const line = parseCommandLine(
      '-/usr/sbin/dockerd -H fd:// --host=unix:///x -Htcp://y:1 -D --log-level warn "--label=a b" $DOCKER_OPTS',
      unset,
    );
    if (line === undefined) throw new Error('not read');
    expect(flagValues(line.flags, '--host')).toEqual(['fd://', 'unix:///x', 'tcp://y:1']);
    expect(flagValues(line.flags, '--log-level')).toEqual(['warn']);
    expect(renderCommandLine(line, (flag) => flag.name === '--host' && flag.value !== 'fd://', ['--tls x'])).toBe(
      '-/usr/sbin/dockerd -H fd:// -D --log-level warn "--label=a b" $DOCKER_OPTS "--tls x"',
    );
  });

  test.each([
    ['-DH fd:// -ldebug', '-D -ldebug'],
    ['-DHfd://', '-D'],
    ['"-DHfd://" -G wheel', '"-D" -G wheel'],
    ['"-DHunix:///a b"', '-D'],
  ])('grouped shorthands are flags of their own: %s without -H', (words, rest) => {
    const line = parseCommandLine(`/usr/bin/dockerd ${words}`, unset);
    if (line === undefined) throw new Error('not read');
    expect(flagValues(line.flags, '--host')).toEqual([words.includes('unix') ? 'unix:///a b' : 'fd://']);
    expect(renderCommandLine(line, ({ name }) => name === '--host', []).replaceAll('"', '')).toBe(
      `/usr/bin/dockerd ${rest.replaceAll('"', '')}`,
    );
    // A group is written letter by letter.
    const kept = parseCommandLine(
      renderCommandLine(line, () => false, []),
      unset,
    );
    expect(kept?.flags.map(({ name, value }) => [name, value])).toEqual(
      line.flags.map(({ name, value }) => [name, value]),
    );
  });

  test.each([
    '--allow-direct-routing -H fd:// --debug',
    // An option that no dockerd has yet.
    '--a-new-switch -H fd:// -l warn',
    '-D=false -H fd:// --label x',
  ])('a switch takes no word: %s', (words) => {
    const line = parseCommandLine(`/usr/bin/dockerd ${words}`, unset);
    expect(flagValues(line?.flags ?? [], '--host')).toEqual(['fd://']);
  });

  test('a value may look odd', () => {
    const line = parseCommandLine(
      '/usr/bin/dockerd --bridge-accept-fwmark 0x1/0x3 --oom-score-adjust -500 --icc=false -H fd:// -- -H tcp://x:1',
      unset,
    );
    expect(line?.flags.map(({ name, value }) => `${name}=${value}`)).toEqual([
      '--bridge-accept-fwmark=0x1/0x3',
      '--oom-score-adjust=-500',
      '--icc=false',
      '--host=fd://',
      '=--',
      '=-H',
      '=tcp://x:1',
    ]);
  });

  test.each(['/bin/sh -c "dockerd"', '/usr/local/bin/wrap -H fd://', ''])(
    '%j does not start dockerd itself',
    (text) => {
      expect(parseCommandLine(text, unset)).toBeUndefined();
    },
  );

  test.each([
    ['fd://', 'fd', undefined],
    ['unix:///run/x', 'unix', undefined],
    ['tcp://0.0.0.0:2375', 'tcp', 2375],
    ['tcp://', 'tcp', 2375],
    ['tcp://[::1]:99', 'tcp', 99],
    ['127.0.0.1:4243', 'tcp', 4243],
    ['npipe:////./pipe/x', 'other', undefined],
  ] as const)('listener %s', (text, kind, port) => {
    expect(parseListener(text)).toMatchObject({ kind, ...(port === undefined ? {} : { port }) });
  });

  test('variables: the last assignment wins, quotes go', () => {
    expect(environmentValue('#X="a"\nX=1\nX ="-H b"\nY=2', 'X')).toMatchObject({ value: '-H b', line: 3 });
    // systemd 252, 257 and 262: "Ignoring invalid environment assignment 'export X=…'"
    expect(environmentValue('X=1\nexport X="-H b"\n', 'X')).toMatchObject({ value: '1', line: 1 });
    expect(environmentValue('# X=1', 'X')).toBeUndefined();
  });

  test.each([
    ['a\nX=--debug \\\n  -H tcp://0:2375\nY=1', '--debug   -H tcp://0:2375', 2, 3],
    ['X="--debug \\\n-H tcp://0:2375"', '--debug -H tcp://0:2375', 1, 2],
    ['X="--debug\n-H fd://"\nY=2', '--debug\n-H fd://', 1, 2],
    [`X='a\\'\n# X = no`, 'a\\', 1, 1],
    [`X=1\nX = blanks`, 'blanks', 2, 2],
    ['X=a"b" # c  \n', 'a"b" # c', 1, 1],
    ['X="a \\"b\\" \\d" \'e\'', 'a "b" \\de', 1, 1],
  ])('variables as systemd reads them: %j', (text, value, line, endLine) => {
    expect(environmentValue(text, 'X')).toEqual({ value, line, endLine });
  });

  test('another value takes the place of all lines of the old one, and nothing else changes', () => {
    fc.assert(
      fc.property(
        fc.stringMatching(/^[!-~]([ -~]*[!-~])?$/),
        fc.constantFrom('a', '"a \\\n b"', "'a'", 'a \\\nb'),
        (next, now) => {
          const text = `# X=1\nW=0\n X=${now}\nY=2\n`;
          const found = environmentValue(text, 'X');
          if (found === undefined) throw new Error('not found');
          const after = replaceValue(text, found, next);
          expect(environmentValue(after, 'X')).toEqual({ value: next, line: 3, endLine: 3 });
          expect(after.split('\n').toSpliced(2, 1)).toEqual(['# X=1', 'W=0', 'Y=2', '']);
        },
      ),
    );
  });
});

describe('daemon.json', () => {
  test('what is wrong is named with its line', () => {
    expect(parseDaemonJson('{\n "a": 1,\n}').errors[0]?.line).toBe(3);
    expect(parseDaemonJson('{ // no\n}').errors).not.toEqual([]);
    expect(Object.keys(parseDaemonJson('{"a": {"__proto__": null}}').values.a as object)).toEqual(['__proto__']);
    expect(parseDaemonJson('[1]').errors[0]?.reason).toBe('not an object');
    expect(parseDaemonJson('  ').values).toEqual({});
    expect(lineOfKey('{\n "x": {"y": 1},\n "log-level" : 2 }', 'log-level')).toBe(3);
  });

  test('nested more deeply than anything can follow', () => {
    const deep = (levels: number) => `{"features":${'['.repeat(levels)}"[{"${']'.repeat(levels)}}`;
    expect(parseDaemonJson(deep(20)).errors).toEqual([]);
    expect(parseDaemonJson(deep(5000)).errors).toEqual([{ line: 1, reason: 'nested too deeply' }]);
  });

  test('an edit and its reverse leave everything else as it was', () => {
    const json = fc.dictionary(fc.stringMatching(/^[a-z][a-z-]{0,8}$/), fc.jsonValue({ maxDepth: 1 }), {
      minKeys: 1,
      noNullPrototype: true,
    });
    const form = fc.constantFrom<string | number | undefined>(undefined, 1, 2, 3, '\t');
    fc.assert(
      fc.property(json, form, fc.boolean(), (values, indent, windows) => {
        const text = JSON.stringify({ ...values, zz: 1 }, undefined, indent).replaceAll('\n', windows ? '\r\n' : '\n');
        const on = editDaemonJson(text, { 'live-restore': true });
        expect(parseDaemonJson(on).values).toEqual({ ...JSON.parse(text), 'live-restore': true });
        if (!('live-restore' in values)) expect(editDaemonJson(on, { 'live-restore': undefined })).toBe(text);
      }),
    );
  });
});

describe('drop-ins and the socket', () => {
  test.each([
    [[], 'zz-docker-tls.conf'],
    [['override.conf', 'zz.conf'], '~zz-docker-tls.conf'],
    [['zzz.conf'], '~zz-docker-tls.conf'],
    [['~~late.conf'], '~~zz-docker-tls.conf'],
  ])('beside %j: %s', (others, name) => {
    expect(dropInName(others)).toBe(name);
    expect(hasOurName(name)).toBe(true);
    for (const other of others) expect(other < name && !hasOurName(other)).toBe(true);
  });

  test('addresses, IPv6 in brackets', () => {
    expect(renderSocketUnit(['10.0.0.1', 'fd00::1'], 99, { service: 'docker.service', condition: '/d' })).toMatch(
      /ListenStream=10\.0\.0\.1:99\nListenStream=\[fd00::1\]:99\n/,
    );
    expect(renderSocketUnit([], 2376, { service: 'docker.service', condition: '/d' })).toMatch(/ListenStream=2376\n/);
  });

  test('a connection starts dockerd first, which only says its version: SELinux has the port labelled for that program', () => {
    const sockets = { tls: 'docker-tls.socket', local: 'docker.socket' };
    const words = { service: 'docker.service', systemctl: 'systemctl', dockerd: '/usr/sbin/dockerd' };
    const text = renderClosedService({ ...words, sockets });
    expect(/^ExecStart=.*$/m.exec(text)?.[0]).toBe('ExecStart=-/usr/sbin/dockerd --version');
    const blank = renderClosedService({ ...words, sockets, dockerd: '/opt/my docker/dockerd' });
    expect(/^ExecStart=.*$/m.exec(blank)?.[0]).toBe('ExecStart=-"/opt/my docker/dockerd" --version');
    // The socket is one that dockerd may be accepting on: made blocking, dockerd would not stop.
    expect(text).toMatch(/^NonBlocking=true$/m);
  });
});

test('a daemon.json that is null has no settings, as for dockerd', () => {
  expect(parseDaemonJson('null\n')).toMatchObject({ values: {}, errors: [] });
  expect(parseDaemonJson('[]').errors[0]?.reason).toBe('not an object');
  expect(JSON.parse(editDaemonJson(' null\n', { debug: true }))).toEqual({ debug: true });
});

describe('asking dockerd itself', () => {
  const base = {
    execStart:
      '/usr/sbin/dockerd -H fd:// $DOCKER_OPTS --tlscert=/etc/docker/tls/current/server-cert.pem --label "a\'b"',
    variables: { DOCKER_OPTS: '--debug' },
    version: '26.1.5',
    configFile: '/etc/docker/daemon.json',
    stagedConfigFile: undefined,
    configExists: false,
    configSetsPidfile: false,
    configNamesCredentials: false,
    credentialsBefore: '/etc/docker/tls/current',
    credentialsAfter: '/etc/docker/tls/3',
  };
  test('by --validate, with the new credentials', () => {
    expect(validationCommand(base)).toBe(
      `timeout 20 /usr/sbin/dockerd -H fd:// --debug --tlscert=/etc/docker/tls/3/server-cert.pem --label 'a'\\''b' --validate`,
    );
  });
  test('with a daemon.json that names the new credentials', () => {
    const json = { stagedConfigFile: '/etc/docker/daemon.json.docker-tls-new', configNamesCredentials: true };
    expect(validationCommand({ ...base, execStart: '/usr/sbin/dockerd', ...json })).toBe(
      "sed 's|/etc/docker/tls/current/|/etc/docker/tls/3/|g' /etc/docker/daemon.json.docker-tls-new | timeout 20 /usr/sbin/dockerd --config-file /dev/stdin --validate",
    );
  });
  test('before 23.0 by a pid file that cannot be made', () => {
    expect(validationCommand({ ...base, version: '20.10.24' })).toContain('--pidfile /proc/docker-tls/pid');
    expect(validationCommand({ ...base, version: '20.10.24', configSetsPidfile: true })).toBe('');
  });
  test('with variables inside words, and without the name that @ gives', () => {
    const execStart = `@/usr/sbin/dockerd docker --data-root=${braced('DATA')}/x $DOCKER_OPTS`;
    expect(validationCommand({ ...base, execStart, variables: { DATA: '/a b', DOCKER_OPTS: '-D' } })).toBe(
      "timeout 20 /usr/sbin/dockerd '--data-root=/a b/x' -D --validate",
    );
  });
  test('not where systemd has to fill something in', () => {
    expect(validationCommand({ ...base, execStart: '/usr/sbin/dockerd --label=%H' })).toBe('');
  });
});

test('of a key that stands there twice the one that dockerd takes is the one that is set', () => {
  const text = '{\n  "icc": true,\n  "debug": true,\n  "icc": true,\n  "icc": true\n}\n';
  expect(editDaemonJson(text, { icc: false })).toBe('{\n  "debug": true,\n  "icc": false\n}\n');
  expect(parseDaemonJson(editDaemonJson(`\ufeff${text}`, { icc: undefined })).values).toEqual({ debug: true });
});
