/** Attacks on the way to the server, and with a stolen computer. */

import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { storeAddress } from '../../../../../src/features/team/store/address.ts';
import { teamStore } from '../../../../../src/features/team/store/team-store.ts';
import type { Attack } from './attack.ts';
import { reading, refusalOf } from './outcomes.ts';
import type { Scene } from './scene.ts';

const refused = (url: string) => refusalOf(Promise.resolve().then(() => storeAddress(url)));
const ssh = (scene: Scene, name: string) => join(scene.member(name).env.HOME ?? '', '.ssh/id_ed25519');

export const COMPUTER_ATTACKS: readonly Attack[] = [
  ...[
    ['plain-http', 'git+http://git.example.org/ops/store.git'],
    ['plain-git', 'git+git://git.example.org/ops/store.git'],
    ['plain-etcd', 'etcd://e1.example.org:2379/docker-tls?tls=off'],
    ['plain-program', 'git+ext::sh -c id'],
  ].map(
    ([name = '', url = '']): Attack => ({
      ...{ name, who: 'man in the middle', what: `an address without encryption or authentication: ${url}` },
      ...{ expected: 'E_STORE_URL', engines: [url.startsWith('etcd') ? 'etcd' : 'git'] },
      play: () => refused(url),
    }),
  ),
  {
    ...{ name: 'redirect-program', who: 'man in the middle', what: 'git rewrites the address to a program' },
    ...{ expected: 'E_STORE_UNREACHABLE', engines: ['git'] },
    async play(scene) {
      const config = join(scene.member('bob').env.HOME ?? '', 'redirect');
      const to = `url.ext::touch ${config}.ran %S.insteadOf`;
      execFileSync('git', ['config', '--file', config, to, scene.url.slice('git+'.length)]);
      const before = process.env.GIT_CONFIG_GLOBAL;
      process.env.GIT_CONFIG_GLOBAL = config;
      try {
        const became = await reading(scene.runner());
        return existsSync(`${config}.ran`) ? 'the program ran' : became;
      } finally {
        if (before === undefined) delete process.env.GIT_CONFIG_GLOBAL;
        else process.env.GIT_CONFIG_GLOBAL = before;
      }
    },
  },
  {
    ...{ name: 'replay', who: 'man in the middle', what: 'an answer of the server from before a revocation' },
    expected: 'E_STORE_OLDER',
    async play(scene) {
      await scene.revoked.show();
      return reading(scene.member('ada').session());
    },
  },
  {
    ...{ name: 'stolen-cache', who: 'thief of a computer', what: 'reads the cache of the store' },
    expected: 'sealed',
    async play(scene) {
      await teamStore(scene.member('bob').session()).read();
      const home = scene.member('bob').home;
      const names = readdirSync(home, { recursive: true, withFileTypes: true });
      const files = names
        .filter((one) => one.isFile())
        .map((one) => readFileSync(join(one.parentPath, one.name), 'latin1'));
      return files.length > 3 && !files.some((text) => /PRIVATE KEY|BEGIN CERT|root@web/.test(text))
        ? 'sealed'
        : 'open';
    },
  },
  {
    ...{
      name: 'stolen-home',
      who: 'thief of a computer',
      what: 'uses the directory of --home without the private key',
    },
    expected: 'E_STORE_CLOSED',
    async play(scene) {
      rmSync(ssh(scene, 'bob'));
      return reading(scene.member('bob').session());
    },
  },
  {
    ...{ name: 'stolen-other-key', who: 'thief of a computer', what: 'uses it with a key of their own' },
    expected: 'E_STORE_CLOSED',
    async play(scene) {
      writeFileSync(ssh(scene, 'bob'), readFileSync(ssh(scene, 'mallory')), { mode: 0o600 });
      return reading(scene.member('bob').session());
    },
  },
  {
    ...{
      name: 'stolen-removed',
      who: 'thief of a computer',
      what: 'uses key and cache after the operator was removed',
    },
    expected: 'E_STORE_CLOSED',
    play: (scene) => reading(scene.member('eve').session()),
  },
  {
    ...{ name: 'shared-key-file', who: 'thief of a computer', what: 'has the user use a key that others can read' },
    expected: 'E_SECRET_FILE',
    async play(scene) {
      chmodSync(ssh(scene, 'bob'), 0o644);
      return reading(scene.member('bob').session());
    },
  },
];
