/** Package output of apt: parsed as untrusted text of a host; no installation may change another package. */

import { describe, expect, test } from 'vitest';
import { parsePackageList } from '../../../../src/core/domain/plan/installed-packages.ts';
import { DockerTlsError } from '../../../../src/errors/errors.ts';
import { refusePackages } from '../../../../src/features/audit/commands/harden-packages.ts';
import {
  NOT_OFFERED,
  PACKAGES,
  packagesWords,
  parsePackagesPlan,
} from '../../../../src/features/audit/domain/packages.ts';

const at = { host: 'h1', login: { destination: 'h1' } };
const lines = (...rows: string[][]) => `${rows.map((row) => row.join('\t')).join('\n')}\n`;
const aide = ['install', 'aide', '0.19.1-2', '148580', '331'];

function refusal(work: () => unknown): string {
  try {
    work();
  } catch (error) {
    if (error instanceof DockerTlsError) return `${error.code}: ${error.message}`;
    throw error;
  }
  return 'accepted';
}

describe('the plan of apt', () => {
  test('has sizes in bytes, and what is there already', () => {
    const plan = parsePackagesPlan(lines(['present', 'auditd'], aide, ['end']), ['aide', 'auditd'], at);
    expect(plan).toEqual({
      present: ['auditd'],
      install: [{ name: 'aide', version: '0.19.1-2', download: 148_580, disk: 338_944 }],
    });
    expect(packagesWords(plan, ['aide', 'auditd'])).toEqual([
      expect.toSay('package-mb-download-mb', '1', '0.1', '0.3'),
      expect.toSay('aide-mb-checker-file', '0.19.1-2', '0.3'),
      '  auditd: installed already',
    ]);
  });

  test.each([
    ['an upgrade', lines(aide, ['upgrade', 'libc6'], ['end']), expect.toSay('also-upgrade-remove', 'libc6')],
    ['a removal', lines(['remove', 'docker.io'], aide, ['end']), expect.toSay('also-upgrade-remove-docker')],
    ['no apt', lines(['no', 'apt']), expect.toSay('host-none')],
    ['an unknown package', lines(['no', 'Unable to locate package aide']), expect.toSay('unable-locate-package-aide')],
    ['an answer cut short', lines(aide), expect.stringMatching(/no answer/)],
    [
      'a name that is none',
      lines(['install', 'a; reboot', '1', '1', '1'], ['end']),
      expect.toSay('reboot-instead-name-package'),
    ],
    [
      'a name that is an option',
      lines(['install', '-oDPkg::Pre-Invoke=x', '1', '1', '1'], ['end']),
      expect.toSay('instead-name-package'),
    ],
  ])('%s: nothing is installed', (_, stdout, words) => {
    const said = refusal(() => parsePackagesPlan(stdout, ['aide'], at));
    expect(said).toMatch(/^E_PACKAGES: .*nothing was installed$/);
    expect(said).toEqual(words);
  });
});

test("the host's list has names of packages, each once", () => {
  expect(parsePackageList('aide\nliblab:amd64\naide\n$(reboot)\n-x\n../x\n')).toEqual(['aide', 'liblab:amd64']);
  expect(parsePackageList(undefined)).toEqual([]);
});

describe('the yes', () => {
  test('--yes is none; each package is accepted by its own name', () => {
    expect(refusal(() => refusePackages(['aide', 'acct'], ['aide'], true))).toSay(
      'acct-need-their-consent',
      '--install',
    );
    expect(refusal(() => refusePackages(['aide', 'acct'], ['aide', 'acct'], true))).toBe('accepted');
    expect(refusal(() => refusePackages(['aide'], [], false))).toBe('accepted');
  });

  test('what is not offered is refused, accepted or not', () => {
    expect(refusal(() => refusePackages(['fail2ban'], ['fail2ban'], true))).toMatch(/E_USAGE: .*bans an address/);
    expect(refusal(() => refusePackages(['docker.io'], ['docker.io'], false))).toSay('not-among-packages');
    expect(PACKAGES.filter(({ name }) => Object.hasOwn(NOT_OFFERED, name))).toEqual([]);
  });
});
