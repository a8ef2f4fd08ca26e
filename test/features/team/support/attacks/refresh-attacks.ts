/** Attempts to get an old state confirmed as the newest: by a daily job, by a restoration, or with the help of hosts. */

import { join } from 'node:path';
import type { Connect, HostSession } from '../../../../../src/core/runtime.ts';
import { DockerTlsError } from '../../../../../src/errors/errors.ts';
import { fingerprintOf, type SignerList } from '../../../../../src/features/team/store/signers.ts';
import '../../../../../src/features/team/feature.ts';
import { answeringHosts } from '../../../../support/answering-hosts.ts';
import { runCli } from '../../../../support/cli.ts';
import { newHome } from '../../../../support/store.ts';
import type { Attack } from './attack.ts';
import type { Scene } from './scene.ts';

const DAY_MS = 86_400_000;
const SILENT: Connect = async () => {
  throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
};

/** Hosts that have seen a commit with this number of the store that ada has seen. */
async function claiming(scene: Scene, number: number): Promise<Connect> {
  const { signers } = await scene.member('ada').session().read();
  const id = fingerprintOf(signers[0] as SignerList);
  return async (options) => {
    const store = { id, number, hash: 'f'.repeat(40) };
    const state = { schema: 1, name: options.host, generation: 1, generations: [], managed: [], store };
    const facts = { 'file:/var/lib/docker-tls/state.json': `file 600 0:0\n${JSON.stringify(state)}` };
    return (await answeringHosts({ home: newHome(), now: new Date(), facts })(options)) as HostSession;
  };
}

/** A job of ada's, this many days from now: the code with which it was refused, or `accepted`. */
async function job(scene: Scene, words: string, days: number, connect = SILENT): Promise<string> {
  const { home, env } = scene.member('ada');
  const argv = [...words.split(' '), '--yes', '--home', home, '--store', scene.url, '--json'];
  const now = () => new Date(Date.now() + days * DAY_MS);
  const { HOME = '/' } = env;
  const setting = {
    env: { ...env, DOCKER_CONFIG: join(HOME, 'docker') },
    cwd: HOME,
    operator: 'ada@job',
    now,
    connect,
  };
  return (await runCli(argv, setting)).json.error?.code ?? 'accepted';
}

export const REFRESH_ATTACKS: readonly Attack[] = [
  {
    ...{ who: 'administrator of the server', name: 'freeze-job', expected: 'E_STORE_EXPIRED' },
    what: 'hides all later commits until the state expires, and waits for the daily job to refresh it',
    play: (scene) => job(scene, 'store refresh', 91),
  },
  {
    ...{ who: 'administrator of the server', name: 'freeze-restore', expected: 'E_STORE_EXPIRED' },
    what: 'shows an old state to a computer that was away, so that it restores the expired one that it has seen',
    async play(scene) {
      await scene.before.show();
      return job(scene, 'store restore', 91);
    },
  },
  {
    ...{ who: 'man in the middle', name: 'freeze-hosts', expected: 'E_STORE_WITNESS' },
    what: 'keeps the daily job from all hosts, which have seen more than the server shows',
    play: (scene) => job(scene, 'store refresh', 60),
  },
  {
    ...{ who: 'managed host', name: 'host-lies', expected: 'E_STORE_OLDER, without them: accepted' },
    what: 'says that it has seen a newer commit, so that nobody can refresh the store',
    async play(scene) {
      const lying = await claiming(scene, 99);
      const refused = await job(scene, 'store refresh', 60, lying);
      const { sequence } = await scene.member('ada').session().read();
      const flags = `--except web --except next --last-commit ${sequence}`;
      return `${refused}, without them: ${await job(scene, `store refresh ${flags}`, 60, lying)}`;
    },
  },
];
