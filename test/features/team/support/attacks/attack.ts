/** An attack on a shared store: who tries what, and what has to become of it. */

import type { Scene } from './scene.ts';

export const ATTACKERS = [
  'administrator of the server',
  'pusher without a key',
  'former operator',
  'operator without the CA',
  'colleague with bad intent',
  'man in the middle',
  'managed host',
  'thief of a computer',
] as const;

export type Attack = {
  /** docs/team.md names it. */
  readonly name: string;
  readonly who: (typeof ATTACKERS)[number];
  readonly what: string;
  /** The code of the refusal, or what is noticed (outcomes.ts). */
  readonly expected: string;
  /** Default: in both. */
  readonly engines?: readonly Scene['name'][];
  /** Plays it, and says what became of it. The scene is as new before. */
  play(scene: Scene): Promise<string>;
};

export type Outcome = { readonly attack: Attack; readonly engine: Scene['name']; readonly became: string };

/** Plays attacks one after the other. `tell` gets each outcome as it arrives. */
export async function playAttacks(
  scene: Scene,
  attacks: readonly Attack[],
  tell: (outcome: Outcome) => void = () => {},
): Promise<Outcome[]> {
  const outcomes: Outcome[] = [];
  for (const attack of attacks) {
    if (attack.engines?.includes(scene.name) === false) continue;
    await scene.reset();
    const became = await attack
      .play(scene)
      .catch((error: unknown) => `failed: ${error instanceof Error ? error.stack : error}`);
    outcomes.push({ attack, engine: scene.name, became });
    tell(outcomes.at(-1) as Outcome);
  }
  return outcomes;
}
