/** Login files: harden neither loosens them nor takes one command's setting for every login's. */

import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { FixName } from '../../../../src/features/audit/domain/fix-names.ts';
import { hardenSettings } from '../../../../src/features/audit/domain/hardening/hardening-host.ts';
import { parseHostSettings } from '../../../../src/features/audit/domain/host-settings.ts';

function parsed(sections: Readonly<Record<string, string>>) {
  return parseHostSettings((name) => sections[name] ?? '');
}

function hardened(
  fix: FixName,
  sections: Readonly<Record<string, string>>,
  files: Readonly<Record<string, string>> = {},
) {
  const { extras, notes } = hardenSettings(new Set([fix]), {
    settings: parsed(sections),
    file: (path) => files[path],
    banner: undefined,
  });
  const written = Object.fromEntries(
    extras.flatMap((extra) => (extra.kind === 'file' ? [[extra.path, extra.content]] : [])),
  );
  return { written, notes };
}

const UMASK = '/etc/profile.d/docker-tls-umask.sh';
const LIMITS = '/etc/security/limits.d/docker-tls.conf';
const COREDUMP = '/etc/systemd/coredump.conf.d/docker-tls.conf';
const ours = (umask: string) => ({ [UMASK]: `# ours\numask ${umask}\n` });

describe('umask', () => {
  it.each([
    ['tmp=$(umask 077; mktemp)'],
    ['tmp=$(cd /tmp; umask 077; mktemp)'],
    ['tmp=`cd /tmp; umask 077; mktemp`'],
    ['(umask 077; touch /x)'],
    ['umask 022\necho $(umask 077; date)'],
  ])('of a subshell is not that of logins: %s', (profile) => {
    expect(hardened('umask', { profile })).toEqual({
      written: { [UMASK]: expect.stringMatching(/^# .*\numask 027\n$/) },
      notes: [],
    });
    expect(parsed({ profile })?.umaskSometimes).toEqual([]);
  });

  it.each([
    ['if [ -n "$x" ]; then umask 077; fi'],
    ['[ "$(id -u)" -eq 0 ] && umask 077'],
    ['if [ -n "$x" ]; then\n    umask 077\nfi'],
    ['if [ -n "$x" ]; then\n    cd /; umask 077\nfi'],
    ['test -n x && umask 077'],
    ['f() { umask 077; }'],
    ['if true; then :; umask 077; fi'],
    ['echo "a; umask 077"'],
    ['umask 077 | cat'],
  ])('behind a condition leaves 027 to all others, and stays: %s', (profile) => {
    const { written, notes } = hardened('umask', { profile });
    const text = written[UMASK] ?? '';
    expect([text.match(/^umask .*$/gm), notes]).toEqual([['umask 027'], []]);
    const after = (umask: string) =>
      spawnSync('sh', ['-c', `f() {\n${text}}\numask ${umask}\nf\numask`], { encoding: 'utf8' }).stdout.trim();
    expect(['022', '077', '0077', '002'].map(after)).toEqual(['0027', '0077', '0077', '0027']);
    expect(hardened('umask', { profile: `${profile}\n${text}` }, { [UMASK]: text }).written[UMASK]).toBe(text);
  });

  it.each(['umask 077', 'set -u; umask 0077 # all', 'umask 077 && :', 'umask u=rwx,go='])(
    'of every login stays: %s',
    (profile) => {
      const { written, notes } = hardened('umask', { profile });
      expect([written, notes]).toEqual([{}, [expect.toSay('umask-already', 'umask')]]);
    },
  );

  it('in words is read, except where it depends on the one before', () => {
    const read = (line: string) => parsed({ profile: line })?.umask;
    expect(['umask u=rwx,g=rx,o=', 'umask a=', 'umask ug=rwx', 'umask -S', 'umask "$old"'].map(read)).toEqual([
      ...[['027'], ['777'], ['000'], [], []],
    ]);
    expect(['umask u=rwx,g=u,o=', 'umask u=rwx,g-w,o=', 'umask u=rwX,go='].map(read)).toEqual([[], [], []]);
  });

  it("of our own file is not the administrator's", () => {
    const logins = (profile: string, file: string) => hardened('umask', { profile }, ours(file)).written[UMASK];
    expect(logins('umask 077', '077')).toMatch(/^umask 027$/m);
    expect(logins('umask 077\numask 077', '077')).toMatch(/^umask 077$/m);
    expect(logins('umask 077\numask 027', '027')).toMatch(/^umask 077$/m);
    // Not among the files that were read: nothing is skipped.
    expect(logins('umask 077', '027')).toMatch(/^umask 077$/m);
  });

  it.each(['test -n x && umask 007', 'test -n x && umask 070', 'umask 022; test -n x && umask 27'])(
    'behind a condition that is not stricter is not kept: %s',
    (profile) => {
      expect(hardened('umask', { profile }).written[UMASK]).toMatch(/^# .*\numask 027\n$/);
    },
  );

  it.each([
    ['for i in /etc/profile.d/*.sh; do . $i; done', 'umask 022'],
    ["if [ -d /etc/profile.d ]; then\n\tfor i in $(run-parts --list --regex '[.]sh$' /etc/profile.d); do", 'umask 022'],
    ['# for i in /etc/profile.d/*.sh', ''],
    ['. /etc/profile.d/mine.sh', ''],
  ])('of /etc/profile is overridden only where it comes before the loop over profile.d: %s', (loop, first) => {
    const root = mkdtempSync(join(tmpdir(), 'docker-tls-logins-'));
    onTestFinished(() => rmSync(root, { recursive: true }));
    mkdirSync(join(root, 'profile.d'));
    writeFileSync(join(root, 'profile'), `umask 022\n${loop}\numask 002`);
    // Without a newline at its end.
    writeFileSync(join(root, 'profile.d/a.sh'), 'umask 077');
    writeFileSync(join(root, 'profile.d/b.sh'), 'umask 027\n');
    const script = readFileSync(
      new URL('../../../../src/features/audit/host/audit/hardening.sh', import.meta.url),
      'utf8',
    );
    const facts = script.replaceAll(' /etc/', ` ${root}/`);
    const { stdout } = spawnSync('sh', ['-c', `end() { echo "= $1"; }\n${facts}\nhardening_facts`], {
      encoding: 'utf8',
    });
    const section = (name: string) => new RegExp(`= \\S+\n([^=]*)= ${name}\n`).exec(stdout)?.[1]?.trim();
    const read = `${root}/profile.d/a.sh:umask 077\n${root}/profile.d/b.sh:umask 027`;
    expect([section('profile-first'), section('profile-d')]).toEqual([first, read]);
    expect(section('profile')).toBe('umask 022\numask 002\numask 077\numask 027');
  });

  it('that is loose behind a condition satisfies nothing', () => {
    const profile = 'umask 077\n[ "$UID" -ge 1000 ] && umask 022';
    expect(hardened('umask', { profile })).toMatchObject({
      ...{ written: { [UMASK]: expect.stringMatching(/^umask 077$/m) }, notes: [] },
    });
  });
});

describe('core dumps', () => {
  it('the last line counts', () => {
    const read = (limits: string, coredump: string) => {
      const found = parsed({ 'core-limits': limits, coredump });
      return [found?.coreLimit, found?.coredumpStorage];
    };
    expect(read('* hard core 0\n* hard core unlimited\n@dev hard core 0 ', 'Storage=none\nStorage = external')).toEqual(
      [...['unlimited', 'external']],
    );
    expect(read('* - core 1\n*\thard\tcore\t0\n* soft core 9', 'Storage=external\nStorage=None')).toEqual([
      '0',
      'none',
    ]);
    expect(read('', '')).toEqual([undefined, undefined]);
  });

  it('that a file after ours allows are named', () => {
    const { written } = hardened('core-dumps', {});
    const again = (limits: string, coredump: string, files = written) =>
      hardened('core-dumps', { 'core-limits': limits, coredump }, files).notes;
    const later = ['* hard core 0\n* hard core unlimited', 'Storage=none\nStorage=external'] as const;
    expect(again(...later)).toEqual([
      expect.toSay('core-dumps-later-file-says', '/etc/security/limits.d'),
      expect.toSay('core-dumps-later-file-says-wins', '/etc/systemd/coredump.conf.d', 'Storage=external'),
    ]);
    expect(again('* hard core 0', 'Storage=none')).toEqual([]);
    expect(again(later[0], 'Storage=none')).toHaveLength(1);
    expect(again('* hard core 0', later[1])).toHaveLength(1);
    // Before our file exists, they may be files that ours will override.
    expect(again(...later, {})).toEqual([]);
    expect(Object.keys(written)).toEqual(expect.arrayContaining([LIMITS, COREDUMP]));
  });
});

it('a TMOUT that is compared is not one that is set', () => {
  const read = (profile: string) => parsed({ profile })?.timeout;
  expect(['[[ $TMOUT==600 ]]', 'if [[ TMOUT==600 ]]; then', 'echo $TMOUT=600'].map(read)).toEqual(
    Array(3).fill(undefined),
  );
  expect(['TMOUT=600', 'readonly TMOUT="600"', 'x=1; TMOUT=600'].map(read)).toEqual([600, 600, 600]);
});
