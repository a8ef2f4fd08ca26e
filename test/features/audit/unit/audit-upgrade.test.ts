/** The upgrade or restart that fixes most known vulnerabilities: when it is recommended, and its command. */

import { describe, expect, test } from 'vitest';
import { bestUpgrade } from '../../../../src/features/audit/domain/vulnerabilities.ts';
import { altered, merge } from '../support/audit-facts.ts';

describe('the upgrade that closes most', () => {
  const textOf = (sections: Record<string, string>) => bestUpgrade(altered('fresh-trixie', { sections }));

  test('names the first version that none of them affects, and the command', () => {
    const docker = { 'packages-deb': 'docker-ce 5:26.1.5-1\ncontainerd.io 1.7.24-1\n' };
    expect(textOf(docker)).toMatchObject({
      package: 'containerd.io',
      command: expect.toSay('apt-get-update-apt-get-install', '--only-upgrade'),
      text: expect.toSay('upgrade-containerd-io-containerd-runc', '1.7.36', '1.3.6'),
    });
    const rpm = { 'packages-deb': undefined, 'packages-rpm': 'docker-ce 26.1.5-1\ncontainerd.io 1.7.24-1\n' };
    const suse = textOf({ ...rpm, 'os-release': 'ID="opensuse-leap"\nID_LIKE="suse opensuse"\n' } as never);
    expect(suse?.command).toBe('zypper update containerd.io');
    expect(textOf({ ...rpm, 'os-release': 'ID=fedora\n' } as never)?.command).toBe('dnf upgrade containerd.io');
    const engine = textOf({
      'packages-deb': 'docker-ce 5:26.1.5-1\n',
      'changelog containerd': '',
      'changelog runc': '',
    });
    expect(engine).toBeDefined();
  });

  describe('is a restart, where the package is new and what runs is not:', () => {
    const sections = {
      'packages-deb': 'docker-ce 5:29.9.9-1\ncontainerd 1.7.24-1\nrunc 1.1.15-1\n',
      'changelog containerd': undefined,
      'changelog runc': undefined,
    };
    const info = (fields: object) => ({ '/info': merge(fields) });

    test('of the units that run; containers stop for it without live-restore', () => {
      const found = bestUpgrade(altered('fresh-trixie', { sections }));
      expect(found?.text).toSay('docker-ce-installed-older-engine', '5:29.9.9-1');
      expect(found?.command).toBe('systemctl restart containerd docker');
      const kept = bestUpgrade(altered('fresh-trixie', { sections, api: info({ LiveRestoreEnabled: true }) }));
      expect(kept?.text).toSay('restart-closes-known');
      const alone = 'Id=docker.service\nLoadState=loaded\nActiveState=active\n';
      const own = bestUpgrade(altered('fresh-trixie', { sections: { ...sections, units: alone } }));
      expect(own?.command).toBe('systemctl restart docker');
    });

    test.each([
      ['no systemd', ''],
      ['a docker.service that does not run', 'Id=docker.service\nLoadState=loaded\nActiveState=inactive\n'],
      ['no docker.service', 'Id=containerd.service\nLoadState=loaded\nActiveState=active\n'],
    ])('without a command of systemd, where there is %s', (_, units) => {
      const found = bestUpgrade(altered('fresh-trixie', { sections: { ...sections, units } }));
      expect(found?.command).toSay('restart-containerd-dockerd-service');
    });

    test("of the user's own service, where the daemon is rootless: root's may run beside it", () => {
      const api = info({
        SecurityOptions: ['name=seccomp,profile=builtin', 'name=rootless'],
        LiveRestoreEnabled: true,
      });
      const found = bestUpgrade(altered('fresh-trixie', { sections, api }));
      expect(found?.command).toSay('user-daemon', 'systemctl --user restart docker');
      expect(found?.text).toSay('running-containers-stop');
    });

    test('never for runc, which is a program: an old one in a new containerd.io takes an upgrade', () => {
      const packages = { ...sections, 'packages-deb': 'docker-ce 5:29.9.9-1\ncontainerd.io 1.7.36-1\n' };
      const running = (runc: string) => (version: { Components: { Name: string; Version: string }[] }) => ({
        ...version,
        Version: '29.9.9',
        Components: version.Components.map((one) => (one.Name === 'runc' ? { ...one, Version: runc } : one)),
      });
      const found = (runc: string) =>
        bestUpgrade(altered('fresh-trixie', { sections: packages, api: { '/version': running(runc) } }));
      expect(found('1.1.15')?.text).toSay('upgrade-containerd-io-containerd', '1.7.36', '1.3.6', '11');
      expect(found('1.1.15')?.command).toSay('apt-get-update-apt-get-install', '--only-upgrade');
      expect(found('1.9.9')?.text).toSay('containerd-io-installed-older', '1.7.36-1', '7');
    });
  });

  test("says what the host's own index has, or that it has nothing", () => {
    expect(textOf({ 'packages-candidates': 'runc 1.1.15+ds1-2+b4\n' })?.text).toSay(
      'index-host-no-newer',
      '4',
      '3',
      '1',
      '1.3.6',
    );
    expect(textOf({ 'packages-candidates': 'runc 1.1.15+ds1-2+b4 newer\n' })?.text).toSay('host-gets-no-newer');
    const newer = textOf({ 'packages-candidates': 'runc 1.1.15+ds1-2+deb13u1\n' });
    expect(newer?.text).toSay('upgrade-runc-known', '1.1.15+ds1-2+b4', '1.1.15+ds1-2+deb13u1', '4');
  });

  test('is none where nothing is open', () => {
    const none = { sections: { 'containerd-disabled': 'disabled_plugins = ["cri"]' } };
    expect(bestUpgrade(altered('fresh-sid', none))).toBeUndefined();
  });
});
