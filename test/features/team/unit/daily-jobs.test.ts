/** The daily jobs that docs and examples show for a team's store: they have every command of those that `schedule` writes. */

import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import '../../../../src/features/fleet/feature.ts';
import '../../../../src/features/team/feature.ts';
import { SHARED_STORE } from '../../../../src/core/seams/stores.ts';
import { commandsOf } from '../../../../src/features/tools/domain/schedule-jobs.ts';

const textOf = (path: string) => readFileSync(new URL(`../../../../${path}`, import.meta.url), 'utf8');
const storeCommands = SHARED_STORE.all.flatMap(({ scheduled }) => scheduled);
const options = { program: ['docker-tls'], store: 'etcd://h:2379/x', storeCommands, fleetFile: 'fleet.yaml' };
/** Without what names the store: these have it in the environment. */
const daily = commandsOf(options, { passphrase: undefined, sudoPassword: undefined }).map((one) =>
  (/^docker-tls [a-z]+( [a-z]+)?/.exec(one) as RegExpExecArray)[0].trim(),
);

test.each([
  'docs/start/team.md',
  'docs/ci.md',
  'examples/github-actions/docker-tls.yml',
  'examples/gitlab-ci/docker-tls.gitlab-ci.yml',
])('%s', (path) => {
  const text = textOf(path);
  expect(daily).toEqual([
    'docker-tls rotate server',
    'docker-tls rotate client',
    'docker-tls store refresh',
    'docker-tls status',
  ]);
  for (const command of daily) expect(text, command).toContain(`${command} -f fleet.yaml`);
});
