/** The notice after docker commands for a client that was imported: its new credentials come as a bundle. */

import { dirname, join } from 'node:path';
import { afterAll, expect, test } from 'vitest';
import { hookAnswer } from '../../../../src/features/notices/cli/notice.ts';
import { buildProgram } from '../../../support/cli.ts';
import { issueStore } from '../../../support/issued-store.ts';
import { importFrom } from '../../../support/outside-clients.ts';
import { newHome, removeHomes } from '../../../support/store.ts';

const program = buildProgram();
afterAll(() => {
  program.remove();
  removeHomes();
});

test('it names client import, in the tests and in the built program', async () => {
  const [home, there] = [newHome(), newHome()];
  const issued = new Date(Date.now() - 80 * 86_400_000);
  await issueStore(there, { now: issued, days: 90, hosts: { web: {} }, clients: { ann: undefined } });
  await importFrom(there, home, 'ann');
  const env = {
    HOME: dirname(home),
    DOCKER_CONFIG: join(dirname(home), 'docker'),
    DOCKER_HOST: 'tcp://127.0.0.1:2376',
    DOCKER_CERT_PATH: join(home, 'clients/ann'),
    DOCKER_TLS_NOTICE_OPTIONS: '|ps',
  };
  const command = `docker tls client import FILE --home ${home}`;
  expect(hookAnswer(env, ['ps'], new Date())).toContain(command);
  const odd = hookAnswer(env, ['--config', '/srv/a$&', 'ps'], new Date());
  expect(JSON.parse(odd).Template).toContain(`docker --config '/srv/a$&' tls client import FILE --home ${home}`);
  const { status, out } = await program.run(['docker-cli-plugin-hooks'], { env });
  expect([status, JSON.parse(out).Template]).toEqual([0, expect.stringContaining(command)]);
});
