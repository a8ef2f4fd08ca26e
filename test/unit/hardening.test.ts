/** The fixes as data: what is chosen, what is remembered, and what sshd is told, for every kind of login. */

import { describe, expect, it } from 'vitest';
import { chooseFixes, FIXES, PROFILES, profilesOf, recordHardening } from '../../src/plan/hardening.ts';
import { hardenSshd, type Login } from '../../src/plan/hardening-sshd.ts';

const operator: Login = { user: 'ops', remote: true, byKey: true };
const settings = new Map(
  Object.entries({
    loglevel: ['INFO'],
    permitrootlogin: ['without-password'],
    maxauthtries: ['6'],
    maxsessions: ['10'],
    passwordauthentication: ['yes'],
    kbdinteractiveauthentication: ['no'],
  }),
);
const config = '# a comment\nInclude /etc/ssh/sshd_config.d/*.conf\nUsePAM yes\nMatch User git\n  PermitTTY no\n';
const both = new Set(['sshd', 'sshd-passwords'] as const);

describe('the choice of fixes', () => {
  it('leaves out what costs until it is accepted by name', () => {
    const choice = chooseFixes({ only: [], profile: 'cis', accepted: ['icc'] });
    expect(choice.fixes).toContain('icc');
    expect(choice.fixes).not.toContain('userns-remap');
    expect(choice.leftOut.map((fix) => fix.name)).toEqual(['userns-remap']);
    expect(choice.leftOut[0]?.cost).toBeTruthy();
  });

  it('also where it was named', () => {
    expect(chooseFixes({ only: ['icc', 'sshd'], profile: 'cis', accepted: [] }).fixes).toEqual(['sshd']);
  });

  it('has every fix in a profile, and nothing that costs in the minimal one', () => {
    for (const fix of FIXES) expect(profilesOf(fix.name), fix.name).toContain('cis');
    for (const profile of PROFILES) expect(FIXES.some((fix) => profilesOf(fix.name).includes(profile))).toBe(true);
    expect(FIXES.filter((fix) => profilesOf(fix.name).includes('minimal') && fix.cost !== undefined)).toEqual([]);
  });

  it('is remembered once, in one order, with who stays in the docker group', () => {
    expect(recordHardening(['sshd', 'icc', 'sshd', 'docker-group:bob'], ['ann', 'bob'])).toEqual([
      'icc',
      'sshd',
      'docker-group:ann',
      'docker-group:bob',
    ]);
  });
});

describe('sshd', () => {
  it('shuts root out and passwords off for an operator who came with a key', () => {
    const { content, notes } = hardenSshd(both, { settings, config, login: operator });
    expect(content?.split('\n').slice(1, -1)).toEqual([
      'LogLevel VERBOSE',
      'PermitRootLogin no',
      'MaxAuthTries 4',
      'MaxSessions 10',
      'PermitEmptyPasswords no',
      'PubkeyAuthentication yes',
      'PasswordAuthentication no',
      'KbdInteractiveAuthentication no',
    ]);
    expect(notes).toEqual([]);
  });

  it('leaves passwords to whoever came with one, and says so', () => {
    const { content, notes } = hardenSshd(both, { settings, config, login: { ...operator, byKey: false } });
    expect(content).not.toMatch(/PasswordAuthentication/);
    expect(notes.join()).toMatch(/password logins stay/);
  });

  it('leaves root its key when root is who hardens', () => {
    const { content, notes } = hardenSshd(both, { settings, config, login: { ...operator, user: 'root' } });
    expect(content).toMatch(/^PermitRootLogin prohibit-password$/m);
    expect(notes.join()).toMatch(/root keeps its login by key/);
  });

  it('proves nothing about SSH from the host itself', () => {
    const { content } = hardenSshd(both, { settings, config, login: { ...operator, remote: false } });
    expect(content).toMatch(/^PermitRootLogin prohibit-password$/m);
    expect(content).not.toMatch(/PasswordAuthentication/);
  });

  it('never loosens what is stricter already', () => {
    const strict = new Map(settings)
      .set('maxauthtries', ['2'])
      .set('permitrootlogin', ['no'])
      .set('maxsessions', ['3']);
    const { content } = hardenSshd(both, { settings: strict, config, login: { ...operator, user: 'root' } });
    expect(content).toMatch(/^MaxAuthTries 2$/m);
    expect(content).toMatch(/^MaxSessions 3$/m);
    expect(content).toMatch(/^PermitRootLogin no$/m);
  });

  it.each([
    ['', 'no Include'],
    ['UsePAM yes\n', 'no Include'],
    ['Match all\nInclude /etc/ssh/sshd_config.d/*.conf\n', 'only for a Match'],
    ['#Include /etc/ssh/sshd_config.d/*.conf\n', 'a comment'],
  ])('changes nothing where the drop-ins are not read: %j (%s)', (text) => {
    const { content, notes } = hardenSshd(both, { settings, config: text, login: operator });
    expect(content).toBeUndefined();
    expect(notes.join()).toMatch(/does not read/);
  });

  it('says what wins over it', () => {
    const { notes } = hardenSshd(both, { settings, config: `MaxAuthTries 20\n${config}`, login: operator });
    expect(notes.join()).toMatch(/MaxAuthTries stands in .* before its Include/);
  });
});
