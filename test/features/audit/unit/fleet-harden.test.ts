/** The key `harden` of a fleet file. */

import { expect, test } from 'vitest';
import { DockerTlsErrors } from '../../../../src/errors/errors.ts';
import { parseFleet } from '../../../../src/features/fleet/domain/fleet.ts';

test('means what it says', () => {
  const fixes = ['sshd', 'no-new-privileges', 'docker-group', 'docker-group:ci', 'sshd:max-auth-tries=2'];
  const { hosts } = parseFleet(`version: 1\nhosts: { a: { harden: ${JSON.stringify(fixes)} } }\n`, 'f');
  expect(hosts[0]?.harden).toEqual(fixes);
});

test('a fix that is none is said with its place, and with those that there are', () => {
  let caught: unknown;
  try {
    parseFleet('version: 1\nhosts: { a: { harden: [ssh] } }\n', 'f');
  } catch (error) {
    caught = error;
  }
  expect(caught).toBeInstanceOf(DockerTlsErrors);
  const [first] = (caught as DockerTlsErrors).errors;
  expect([`${first?.where} ${first?.message}`, ...(first?.hints ?? [])].join(' | ')).toBe(
    'f:2:24 ssh is not possible for harden; there is tls, icc, log-level, iptables, no-new-privileges, live-restore, userland-proxy, userns-remap, log-limits, default-ulimits, experimental, audit-rules, sshd, sshd-root, sshd-passwords, docker-group, file-modes, kernel-network, kernel-self, kernel-bpf, modules, modules-used, sshd-idle, sshd-x11, sshd-remote-forwarding, sshd-forwarding, sshd-sessions, core-dumps, login-defs, banner, umask, session-timeout | did you mean sshd or sshd-root or sshd-passwords?',
  );
});
