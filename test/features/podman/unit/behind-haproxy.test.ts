/** HAProxy before Podman: its files, and what is said. */

import { expect, test } from 'vitest';
import { opened } from '../../haproxy/support/opened-listener.ts';

test('before Podman it opens a socket that our service makes for it, as a group that has nothing else', async () => {
  const { listener, notes, problems } = await opened({ socket: '' }, { kind: 'podman' });
  expect(problems).toEqual([]);
  expect(listener.group).toBe('haproxy');
  const config = [...listener.files].find(([path]) => path.endsWith('haproxy.cfg'))?.[1];
  expect(config).toMatch(/^ {2}user haproxy\n {2}group haproxy$/m);
  expect(config).toContain('unix@/run/docker-tls-podman.sock');
  expect(listener.unit).toContain('After=docker-tls-podman.socket docker-tls-podman.service');
  // Whatever starts HAProxy starts Podman's service first.
  expect(listener.unit).toContain('Wants=docker-tls-podman.service\n');
  expect((await opened()).listener.unit).not.toContain('Wants=docker.');
  const reading = { clients: [{ name: 'prom', role: 'read', direct: false }] };
  const allowed = async (kind: string) => {
    const read = await opened({}, { kind }, reading);
    return [...read.listener.files.values()].join('').match(/^ *acl allowed .*secrets.*$/gm)?.length;
  };
  expect([await allowed('podman'), await allowed('systemd')]).toEqual([1, 2]);
  expect(notes).toEqual([expect.toSay('group-may-open', 'haproxy', '/run/docker-tls-podman.sock')]);
  expect((await opened()).notes).toEqual([]);
});
