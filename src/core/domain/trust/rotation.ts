/** Progress of a CA rotation, from the store alone: stage, description, and next step. */

import type { Hint } from '../../../errors/errors.ts';
import type { StoreState } from '../../adapters/store/records.ts';
import { type RotationStage, rotationStage } from '../plan/stages.ts';
import { listWords } from '../words.ts';
import { accessOf } from './access.ts';
import { certificateIds } from './ca-id.ts';
import { externalKey } from './client-refusals.ts';
import { viewOf } from './view.ts';

/** Current stage of the rotation. */
export function stageOf(state: StoreState, now: Date): RotationStage {
  if (state.ca === undefined) return { stage: 'none', hosts: [], clients: [] };
  const view = viewOf(state, now);
  const { outdated, trust: decided } = accessOf(state, view, { rejectOthers: true, now });
  const own = [...state.clients.values()].filter(({ record }) => record.reaches === undefined);
  return rotationStage({
    ca: state.ca.cert,
    oldCas: state.oldCas.map((old) => old.cert),
    hosts: [...state.hosts.values()].map(({ record, ca: trust, serverCert }) => {
      const next = decided.get(record.name);
      const isOutdated = outdated.includes(record.name);
      const wanted = isOutdated && Array.isArray(next) ? next : certificateIds(trust);
      return { name: record.name, trust, outdated: isOutdated, wanted, serverCert };
    }),
    clients: own.map(({ record: { name, revokedAt }, cert }) => {
      return { name, cert, revoked: revokedAt !== undefined };
    }),
    now,
  });
}

export type Rotation = {
  readonly words: string;
  /** Commands, some after a few words. */
  readonly next: readonly Hint[];
};

/** The rotation in progress; undefined if there is none. */
export function rotationOf(state: StoreState, now: Date): Rotation | undefined {
  if (state.ca === undefined) return undefined;
  const stage = stageOf(state, now);
  if (stage.stage === 'none') return undefined;
  const words = sentenceOf(stage, state);
  if (stage.stage === 'drop' || stage.stage === 'clear') return { words: `${words}.`, next: [DROP] };
  const here = stage.clients.some((name) => state.clients.get(name)?.key !== undefined);
  const external = stage.stage === 'issue' ? nextSteps(stage.clients, state.clients) : [];
  return { words, next: [...(stage.hosts.length > 0 || here ? ['docker-tls rotate ca'] : []), ...external] };
}

const DROP = 'docker-tls rotate ca --drop';

/** Description of the stage, with the next command if the stage alone determines it. */
export function describeRotation(stage: RotationStage, state: StoreState): string {
  const words = sentenceOf(stage, state);
  if (stage.stage === 'drop' || stage.stage === 'clear') return `${words}: ${DROP}`;
  if (stage.stage !== 'issue') return words;
  return [words, ...nextSteps(stage.clients, state.clients).map((way) => `  ${way}`)].join('\n');
}

function sentenceOf(stage: RotationStage, state: StoreState): string {
  const hosts = stage.hosts.length === 0 ? 'no host' : stage.hosts.join(', ');
  const remaining = [...stage.hosts.map((name) => `host ${name}`), ...stage.clients.map((name) => `client ${name}`)];
  const all = [...state.hosts.keys()].join(', ');
  switch (stage.stage) {
    case 'none':
      return `No rotation is under way. It would go like this:\n  1 accept  ${all} accept the old CA and a new one\n  2 issue   hosts and clients get credentials of the new CA\n  3 drop    (${DROP}) the old CA is no longer accepted`;
    case 'accept':
      return `Stage 1, accept old and new, is still to be done on ${hosts}.`;
    case 'issue':
      return `Stage 2, issue from the new CA, is still to be done for ${listWords(remaining, 24)}.`;
    case 'drop':
      return 'Stage 3, drop the old CA';
    case 'clear':
      return `The old CA is dropped here; ${hosts} still accept it`;
  }
}

/** Steps on other machines for clients without a local key: no command on this computer renews them. */
export function nextSteps(names: readonly string[], clients: StoreState['clients']): Hint[] {
  return names
    .filter((name) => clients.get(name)?.key === undefined)
    .flatMap((name) => [
      ...externalKey(name).hints,
      `if ${name} is no longer to be accepted: docker-tls client revoke ${name}`,
    ]);
}
