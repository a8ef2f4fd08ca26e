/** Progress of a CA rotation, from the store alone: stage, description, and next step. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { accessOf } from '../../../core/domain/trust/access.ts';
import { certificateIds } from '../../../core/domain/trust/ca-id.ts';
import { externalKey } from '../../../core/domain/trust/client-refusals.ts';
import { viewOf } from '../../../core/domain/trust/view.ts';
import { listWords } from '../../../core/domain/words.ts';
import type { StoreRemark } from '../../../core/seams/store-remarks.ts';
import type { Hint } from '../../../errors/errors.ts';
import { type RotationStage, rotationStage } from './stage.ts';

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

/** Of `status`, about a rotation in progress. */
export function rotationRemark(state: StoreState, now: Date): StoreRemark | undefined {
  const stage = stageOf(state, now);
  if (stage.stage === 'none') return undefined;
  const words = `A rotation of the CA is under way. ${sentenceOf(stage, state)}`;
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
