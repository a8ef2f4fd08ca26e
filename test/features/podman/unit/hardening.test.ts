/** Hardening of hosts where Podman serves the API. */

import { expect, test } from 'vitest';
import { kindOf } from '../../../../src/core/domain/plan/host-kind.ts';
import { hardenHost } from '../../../../src/features/audit/domain/hardening/hardening.ts';
import { renderAuditRules } from '../../../../src/features/audit/domain/hardening/hardening-files.ts';
import { noLoopbackRule } from '../../../../src/features/audit/domain/hardening/hardening-host.ts';
import { parseHostSettings } from '../../../../src/features/audit/domain/host-settings.ts';
import { factsOf } from '../../../support/host-facts.ts';
import { altered, RECORDED } from '../../audit/support/audit-facts.ts';

/** A host with Podman and without Docker, before the first change. */
function host(more: Record<string, string | undefined> = {}) {
  return factsOf({
    kind: 'podman',
    unit: 'LoadState=not-found\nActiveState=inactive\nCanStart=no\nCanStop=no',
    'docker-socket': 'LoadState=loaded\nActiveState=active',
    dockerd: '/usr/bin/podman',
    'dockerd-version': 'podman version 5.8.6',
    'environment-files': undefined,
    'api-socket': '',
    info: undefined,
    ...more,
  });
}

test('hardening leaves out what is of dockerd, with what it would cost', () => {
  const hardened = hardenHost({
    entries: ['icc', 'live-restore', 'kernel-bpf'],
    known: [],
    facts: host(),
    audit: altered(RECORDED[0], {}),
    login: { user: 'root', remote: true, byKey: true },
    leadsTo: [],
  });
  expect(hardened).toMatchObject({ daemonSettings: {} });
  expect(hardened.costs?.join()).not.toContain('icc');
  expect(hardened.notes?.join()).toSay('dockerd-does-not-serve');
});

test('audit rules of harden watch the units that are ours there', () => {
  const facts = { ...altered(RECORDED[0], {}), podmanService: true };
  expect(renderAuditRules(facts)).toContain('-w /etc/systemd/system/docker-tls-podman.service -p wa');
  expect(renderAuditRules(altered(RECORDED[0], {}))).not.toContain('podman');
});

test('no rule for packets to 127.0.0.1, which only dockerd routes', () => {
  const none = parseHostSettings(() => '');
  expect(noLoopbackRule(kindOf({ kind: 'podman' }), none)).toBeUndefined();
  expect(noLoopbackRule(kindOf({}), none)).toContain('iptables');
});
