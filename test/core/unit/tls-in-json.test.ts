/** If daemon.json names listeners, our TLS settings are in it too: without our drop-in it serves none of them without TLS. */

import { expect, test } from 'vitest';
import { planHost } from '../../../src/core/domain/plan/plan-host.ts';
import { desired, factsOf, UNIT } from '../../support/host-facts.ts';

const JSON_FILE = '/etc/docker/daemon.json';
const PLAIN = { [`file:${UNIT}`]: 'file 644 0:0\n[Service]\nExecStart=/usr/sbin/dockerd\n' };
const OURS = {
  tlsverify: true,
  tlscacert: '/etc/docker/tls/current/ca.pem',
  tlscert: '/etc/docker/tls/current/server-cert.pem',
  tlskey: '/etc/docker/tls/current/server-key.pem',
};

function planOf(json: unknown, port = 2376) {
  const facts = factsOf({ ...PLAIN, [`file:${JSON_FILE}`]: `file 644 0:0\n${JSON.stringify(json)}` });
  const plan = planHost(facts, { ...desired, port });
  const after = (name: string) => plan.files.find(({ path }) => path.endsWith(name))?.after ?? '';
  return { plan, dropIn: after('zz-docker-tls.conf'), json: after(JSON_FILE) };
}

test.each([
  ['listeners', { hosts: ['unix:///var/run/docker.sock'] }],
  ['TLS settings', { tlsverify: true, tlscacert: '/x/ca.pem', tlscert: '/x/cert.pem', tlskey: '/x/key.pem' }],
])('a daemon.json with %s gets them, and the command line does not', (_, before) => {
  const { dropIn, json } = planOf(before);
  expect(JSON.parse(json)).toMatchObject(OURS);
  expect(dropIn).toContain('ExecStart=/usr/sbin/dockerd');
  expect(dropIn).not.toContain('--tls');
});

test('ours are not taken for settings of the administrator: the old port goes, and nothing is said to be replaced', () => {
  const hosts = ['unix:///var/run/docker.sock', 'tcp://0.0.0.0:2376'];
  const { plan, json } = planOf({ hosts, ...OURS }, 2377);
  expect(JSON.parse(json).hosts).toEqual(['unix:///var/run/docker.sock', 'tcp://0.0.0.0:2377']);
  const replaced = expect.toSay('tls-settings-replaced');
  expect(plan.warnings).not.toContainEqual(replaced);
  const foreign = { ...OURS, tlscacert: '/x/ca.pem', tlscert: '/x/cert.pem', tlskey: '/x/key.pem' };
  expect(planOf({ hosts, ...foreign }, 2377).plan.warnings).toContainEqual(replaced);
  // Already in the desired state.
  expect(planOf({ hosts, ...OURS }).json).toBe('');
});

test('a daemon.json with neither stays as it is', () => {
  const { dropIn, json } = planOf({ debug: true });
  expect(json).toBe('');
  expect(dropIn).toContain('--tlsverify');
});
