/** Attacks on a shared store: each is refused, or noticed, as docs/team.md says. The same as scripts/store-attacks. */

import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ATTACKS } from '../support/attacks/run.ts';
import { etcdScene, gitScene, type Scene } from '../support/attacks/scene.ts';
import { type EtcdServers, startEtcd } from '../support/etcd.ts';

let etcd: EtcdServers;
afterAll(() => etcd?.stop());

describe.each<[Scene['name'], () => Promise<Scene>]>([
  ['git', gitScene],
  [
    'etcd',
    async () => {
      etcd = await startEtcd();
      return etcdScene(etcd);
    },
  ],
])('in %s', (engine, open) => {
  let scene: Scene;
  beforeAll(async () => {
    scene = await open();
  });
  afterAll(() => scene?.stop());

  const attacks = ATTACKS.filter(({ engines }) => engines?.includes(engine) ?? true);
  test.each(attacks.map((attack) => [attack.who, attack.name, attack] as const))('%s: %s', async (_, __, attack) => {
    await scene.reset();
    expect(await attack.play(scene)).toBe(attack.expected);
  });
});
