/** All attacks on both engines, for scripts/store-attacks and for the test of them. */

import { parseArgs } from 'node:util';
import { startEtcd } from '../etcd.ts';
import { type Attack, type Outcome, playAttacks } from './attack.ts';
import { COMPUTER_ATTACKS } from './computer-attacks.ts';
import { NETWORK_ATTACKS } from './network-attacks.ts';
import { OPERATOR_ATTACKS } from './operator-attacks.ts';
import { REFRESH_ATTACKS } from './refresh-attacks.ts';
import { type Cost, costWords, measureRubbish } from './rubbish.ts';
import { etcdScene, gitScene, type Scene } from './scene.ts';
import { SERVER_ATTACKS } from './server-attacks.ts';
import { SETTINGS_ATTACKS } from './settings-attacks.ts';
import { WITNESS_ATTACKS } from './witness-attacks.ts';

/** Add a file beside these for attacks of another kind, and its rows here and in docs/team.md. */
export const ATTACKS: readonly Attack[] = [
  ...SERVER_ATTACKS,
  ...WITNESS_ATTACKS,
  ...REFRESH_ATTACKS,
  ...OPERATOR_ATTACKS,
  ...SETTINGS_ATTACKS,
  ...NETWORK_ATTACKS,
  ...COMPUTER_ATTACKS,
];

/** Plays the attacks on a scene of this engine. */
export async function attack(
  engine: Scene['name'],
  attacks: readonly Attack[],
  tell?: (outcome: Outcome) => void,
): Promise<Outcome[]> {
  const etcd = engine === 'etcd' ? await startEtcd() : undefined;
  try {
    const scene = await (etcd === undefined ? gitScene() : etcdScene(etcd));
    try {
      return await playAttacks(scene, attacks, tell);
    } finally {
      await scene.stop();
    }
  } finally {
    await etcd?.stop();
  }
}

/** The exit status of scripts/store-attacks. */
export async function runAttacks(argv: readonly string[]): Promise<number> {
  const { values } = parseArgs({
    args: [...argv],
    options: {
      engine: { type: 'string', multiple: true },
      attack: { type: 'string', multiple: true },
      rubbish: { type: 'boolean' },
    },
  });
  const engines = (['git', 'etcd'] as const).filter((one) => values.engine?.includes(one) ?? true);
  const attacks = ATTACKS.filter(({ name }) => values.attack?.includes(name) ?? true);
  const outcomes: Outcome[] = [];
  for (const engine of values.rubbish ? [] : engines)
    outcomes.push(
      ...(await attack(engine, attacks, ({ attack: { name, who, what, expected }, became }) => {
        const mark = became === expected ? 'refused ' : 'ACCEPTED';
        process.stdout.write(`${mark}  ${engine.padEnd(4)}  ${who}: ${name}, ${what}: ${became}\n`);
        if (became !== expected) process.stdout.write(`          expected: ${expected}\n`);
      })),
    );
  const wrong = outcomes.filter(({ attack: { expected }, became }) => became !== expected).length;
  if (!values.rubbish) process.stdout.write(`${outcomes.length} attacks, ${wrong} accepted wrongly\n`);
  if (values.attack !== undefined) return wrong === 0 && outcomes.length > 0 ? 0 : 1;
  const costs: Cost[] = [];
  for (const engine of engines)
    costs.push(...(await measureRubbish(engine, (cost) => process.stdout.write(`${costWords(cost)}\n`))));
  const megabytes = Math.max(...costs.map((cost) => cost.megabytes));
  const seconds = Math.max(...costs.map((cost) => cost.seconds));
  process.stdout.write(
    `100 MB of rubbish: the worst reader used ${megabytes.toFixed(0)} MB and ${seconds.toFixed(1)} s more than without it\n`,
  );
  return wrong === 0 && costs.every((cost) => costWords(cost).startsWith('within')) ? 0 : 1;
}
