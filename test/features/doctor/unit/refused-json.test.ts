/** If daemon.json has our TLS settings but not the port, `doctor` says why dockerd does not start. */

import { expect, test } from 'vitest';
import { planHost } from '../../../../src/core/domain/plan/plan-host.ts';
import { refusedJson } from '../../../../src/features/doctor/engine/inside.ts';
import { desired, factsOf, UNIT } from '../../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const OURS = { tlsverify: true, tlscacert: '/etc/docker/tls/current/ca.pem', tlscert: '/x', tlskey: '/y' };

/** A host with this command line and daemon.json. */
function host(line: string, json: object, more: Record<string, string> = {}) {
  return factsOf({
    [`file:${UNIT}`]: `file 644 0:0\n[Service]\nExecStart=${line}\n`,
    [`file:${JSON_FILE}`]: `file 644 0:0\n${JSON.stringify(json)}`,
    ...more,
  });
}

const dropIn = (facts: ReturnType<typeof host>): string =>
  planHost(facts, desired).files.find(({ path }) => path.endsWith('zz-docker-tls.conf'))?.after ?? '';

test.each([
  ['put back', { hosts: ['fd://'] }, { hosts: ['fd://'] }, 'no longer has the TLS settings'],
  ['as docker-tls left it', { hosts: ['fd://'] }, { hosts: ['fd://'], ...OURS }, undefined],
  ['with listeners that the drop-in has as flags', {}, { hosts: ['fd://'] }, '"hosts"'],
  ['with TLS settings that the drop-in has as flags', {}, { tls: true, tlsverify: true }, '"tlsverify"'],
  ['without either, where the flags are in the drop-in', {}, {}, undefined],
])('doctor knows whether dockerd starts with a daemon.json %s', (_, before, after, refused) => {
  const line = '/usr/sbin/dockerd';
  const path = '/etc/systemd/system/docker.service.d/zz-docker-tls.conf';
  const text = dropIn(host(line, before));
  const why = refusedJson(host(line, after, { 'drop-ins': path, [`file:${path}`]: `file 644 0:0\n${text}` }));
  if (refused === undefined) expect(why).toBeUndefined();
  else expect(why).toContain(refused);
});
