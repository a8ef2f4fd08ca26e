/** Owns how a rotation of the CA is said: where it stands, and the step that comes next. */

import { nextSteps, stageOf } from '../../actions/rotate-ca.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import type { RotationStage } from '../../domain/plan/stages.ts';
import { listWords } from '../../domain/words.ts';

export type Rotation = {
  readonly words: string;
  /** Commands, perhaps behind some words. */
  readonly next: readonly string[];
};

/** The rotation that is under way; undefined where none is. */
export function rotationOf(state: StoreState, now: Date): Rotation | undefined {
  if (state.ca === undefined) return undefined;
  const stage = stageOf(state, now);
  if (stage.stage === 'none') return undefined;
  const [words = ''] = describeRotation(stage, state).split(/(?=:? docker-tls |\n)/);
  if (stage.stage === 'drop' || stage.stage === 'clear')
    return { words: `${words}.`, next: ['docker-tls rotate ca --drop'] };
  const here = stage.clients.some((name) => state.clients.get(name)?.key !== undefined);
  const elsewhere = stage.stage === 'issue' ? nextSteps(stage.clients, state.clients) : [];
  return { words, next: [...(stage.hosts.length > 0 || here ? ['docker-tls rotate ca'] : []), ...elsewhere] };
}

function remaining({ hosts, clients }: RotationStage): string[] {
  return [...hosts.map((name) => `host ${name}`), ...clients.map((name) => `client ${name}`)];
}

/** Where a rotation stands. */
export function describeRotation(stage: RotationStage, state: StoreState): string {
  const hosts = stage.hosts.length === 0 ? 'no host' : stage.hosts.join(', ');
  const all = [...state.hosts.keys()].join(', ');
  switch (stage.stage) {
    case 'none':
      return `No rotation is under way. It would go like this:\n  1 accept  ${all} accept the old CA and a new one\n  2 issue   hosts and clients get credentials of the new CA\n  3 drop    (docker-tls rotate ca --drop) the old CA is no longer accepted`;
    case 'accept':
      return `Stage 1, accept old and new, is still to be done on ${hosts}.`;
    case 'issue':
      return [
        `Stage 2, issue from the new CA, is still to be done for ${listWords(remaining(stage), 24)}.`,
        ...nextSteps(stage.clients, state.clients).map((way) => `  ${way}`),
      ].join('\n');
    case 'drop':
      return 'Stage 3, drop the old CA: docker-tls rotate ca --drop';
    case 'clear':
      return `The old CA is dropped here; ${hosts} still accept it: docker-tls rotate ca --drop`;
  }
}
