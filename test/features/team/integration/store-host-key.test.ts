/** SSH host keys in a shared store, with a real SSH server: a runner that connects for the first time accepts the recorded key alone. */

import { rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { teamStore } from '../../../../src/features/team/store/team-store.ts';
import { runCli } from '../../../support/cli.ts';
import { directory, optionsFor, transports, withKey, withServer } from '../../../support/ssh-login.ts';
import { makeKey } from '../../../support/ssh-server.ts';
import { newHome, removeHomes, sampleCa, sampleHost } from '../../../support/store.ts';
import { enrol, newTeam } from '../support/team.ts';

afterAll(() => {
  rmSync(directory, { recursive: true, force: true });
  removeHomes();
});

describe.each(transports)('%s', (transport) => {
  test('the key of the record is accepted unseen; another one is refused before a login, though known_hosts has it', async () => {
    await withServer(withKey, async (server) => {
      await withServer({ ...withKey, hostKeys: [makeKey().privateKey] }, async (other) => {
        const team = newTeam();
        const [ada, runner] = [team.member('ada'), team.member('runner')];
        await enrol(ada, runner);
        const store = teamStore(ada.session());
        const { record, ...host } = sampleHost('web', 1);
        const recorded = async (port: number, hostKey: string | undefined) => {
          const ssh = { destination: '127.0.0.1', user: 'root', port, transport, hostKey };
          const change = { hosts: { web: { ...host, record: { ...record, ssh } } } };
          await store.withLock('test', () => store.write({ ca: sampleCa(0), ...change }));
        };
        const known = join(runner.env.HOME ?? '', '.ssh', 'known_hosts');
        const lines = [server, other].map(({ port }) => `[127.0.0.1]:${port} ${other.hostKeys[0]}\n`);
        writeFileSync(known, lines.join(''));
        const { identities = [] } = optionsFor(server, { transport });
        const config = join(runner.env.HOME ?? '', 'ssh_config');
        writeFileSync(config, `UserKnownHostsFile ${known}\n`);
        const plan = async (...more: string[]) => {
          const argv = ['plan', 'web', '-i', identities[0] ?? '', '--ssh-config', config, ...more];
          const { env } = runner;
          const run = await runCli([...argv, '--store', team.url, '--home', newHome(), '--json'], {
            ...{ env, cwd: env.HOME ?? '/', operator: 'runner@ci' },
          });
          return run.json.error?.code;
        };
        const key = server.hostKeys[0]?.split(' ').slice(0, 2).join(' ') as string;
        await recorded(server.port, key);
        expect(await plan()).not.toMatch(/HOST_KEY/);
        expect(server.seen.auth).not.toEqual([]);
        await recorded(other.port, key);
        for (const more of [[], ['--host-key', 'accept-new']]) expect(await plan(...more)).toBe('E_SSH_HOST_KEY_PIN');
        expect(other.seen.auth).toEqual([]);
        // An operator decides, by the key itself.
        expect(await plan('--host-key', other.fingerprints[0] as string)).not.toMatch(/HOST_KEY/);
        expect(other.seen.auth).not.toEqual([]);
      });
    });
  });
});
