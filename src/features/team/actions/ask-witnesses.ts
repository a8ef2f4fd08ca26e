/** `store check --witness`: the store compared with what its hosts, and other places, have seen of it. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { storeOptions } from '../../../core/actions/open-store.ts';
import type { StoreMark } from '../../../core/domain/plan/host-state.ts';
import { completeHost } from '../../../core/domain/settings.ts';
import { overHosts } from '../../../core/engine/pool.ts';
import { openHost } from '../../../core/engine/steps/open-host.ts';
import { asErrors, DockerTlsError, printable } from '../../../errors/errors.ts';
import { readWitness, unusable } from '../store/read-witness.ts';
import type { Session } from '../store/session.ts';
import { witnessRefusal } from '../store/store-refusals.ts';
import { teamStore } from '../store/team-store.ts';
import { compareWith, markOf } from '../store/witnesses.ts';

/** The word for all hosts of the store, in place of an address. */
const HOSTS = 'hosts';

/** `nothing`: a host that no shared store has changed yet; `failed`: no answer, or nothing usable. */
export type WitnessDocument = {
  /** A host's name, or the address. */
  readonly witness: string;
  readonly line: 'continues' | 'older' | 'forked' | 'other' | 'nothing' | 'failed';
  /** The number of the commit that it has seen. */
  readonly number?: number;
};

export type Witnesses = { readonly documents: readonly WitnessDocument[]; readonly errors: readonly DockerTlsError[] };

/** Asks each witness; failures and refusals (E_STORE_OLDER) are in `errors`, the most severe last. */
export async function askWitnesses(
  context: ActionContext,
  session: Session,
  names: readonly string[],
): Promise<Witnesses> {
  const documents: WitnessDocument[] = [];
  const errors: DockerTlsError[] = [];
  const judge = async (witness: string, seen: StoreMark | undefined): Promise<void> => {
    // Other runs commit meanwhile: what a witness has seen since is in the newest state.
    let opened = await session.read();
    let line = seen && (await compareWith(session, opened, seen));
    if (seen !== undefined && line === 'older') {
      opened = await session.read(0);
      line = await compareWith(session, opened, seen);
    }
    documents.push({ witness, line: line ?? 'nothing', number: seen?.number });
    const mark = markOf(opened);
    if (seen && mark && line !== undefined && line !== 'continues')
      errors.push(witnessRefusal(session.url, witness, line, { seen, mark }));
  };
  const fail = (witness: string, error: unknown): void => {
    documents.push({ witness, line: 'failed' });
    errors.unshift(...asErrors(error, context.runtime.signal));
  };
  for (const name of new Set(names)) {
    if (name === HOSTS) await askHosts(context, session, judge, fail);
    else
      try {
        const seen = await readWitness(name, storeOptions(context));
        if (seen.id !== markOf(await session.read())?.id) throw unusable(name, 'it is of another store');
        await judge(name, seen);
      } catch (error) {
        fail(name, error);
      }
  }
  return { documents, errors };
}

async function askHosts(
  context: ActionContext,
  team: Session,
  judge: (witness: string, seen: StoreMark | undefined) => Promise<void>,
  fail: (witness: string, error: unknown) => void,
): Promise<void> {
  const { global, runtime, progress, prompts } = context;
  // By the session of the command: it may have accepted an expired state.
  const { hosts } = await teamStore(team).read();
  const specs = [...hosts.values()].map(({ record }) => completeHost(record));
  const asked = await overHosts(specs, { parallel: global.parallel, runtime, progress }, async (spec, line) => {
    const { session, facts } = await openHost(spec, { runtime, ask: prompts.ssh }, line);
    await session.close();
    await judge(spec.name, facts.state?.store);
    line.done('');
  });
  for (const one of asked) {
    if (one.kind === 'failed') fail(one.host, one.errors[0]);
    if (one.kind === 'skipped') fail(one.host, new DockerTlsError('E_INTERRUPTED', one.reason, { where: one.host }));
  }
}

const WORDS: Readonly<Record<WitnessDocument['line'], string>> = {
  continues: 'the store continues it',
  older: 'the store is OLDER',
  forked: 'the store is of ANOTHER LINE',
  other: 'this is ANOTHER STORE',
  nothing: 'has seen no shared store yet',
  failed: 'no answer',
};

/** A line for each witness. */
export function witnessLines(documents: readonly WitnessDocument[]): string[] {
  return documents.map(({ witness, line, number }) =>
    [`${printable(witness)}:`, ...(number === undefined ? [] : [`has seen commit ${number};`]), WORDS[line]].join(' '),
  );
}
