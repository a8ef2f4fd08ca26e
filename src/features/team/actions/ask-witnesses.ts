/** `store check --witness`: the store compared with what its hosts, and other places, have seen of it. */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import type { SecretOptions } from '../../../core/actions/given-secrets.ts';
import { storeOptions } from '../../../core/actions/open-store.ts';
import { sudoPasswords } from '../../../core/actions/run.ts';
import { selectSpecs } from '../../../core/actions/select-hosts.ts';
import { readTree } from '../../../core/adapters/store/read.ts';
import type { StoreMark } from '../../../core/domain/plan/host-state.ts';
import { completeHost } from '../../../core/domain/settings.ts';
import { overHosts } from '../../../core/engine/pool.ts';
import { openHost } from '../../../core/engine/steps/open-host.ts';
import { asErrors, DockerTlsError, printable } from '../../../errors/errors.ts';
import { mapTree } from '../store/map-tree.ts';
import type { Opened } from '../store/opened.ts';
import { readWitness, unusable } from '../store/read-witness.ts';
import type { Session } from '../store/session.ts';
import { witnessRefusal } from '../store/store-refusals.ts';
import { compareWith, markOf } from '../store/witnesses.ts';

/** The word for all hosts of the store, in place of an address. */
export const HOSTS = 'hosts';

/** `nothing`: a host that no shared store has changed yet; `failed`: no answer, or nothing usable. */
export type WitnessDocument = {
  /** A host's name, or the address. */
  readonly witness: string;
  readonly line: 'continues' | 'older' | 'forked' | 'other' | 'nothing' | 'failed';
  /** The number of the commit that it has seen. */
  readonly number?: number;
};

/** `errors`: the failure, or the refusal (E_STORE_OLDER). */
export type WitnessAnswer = { readonly document: WitnessDocument; readonly errors: readonly DockerTlsError[] };

type Judges = {
  judge(witness: string, seen: StoreMark | undefined): Promise<void>;
  fail(witness: string, error: unknown): void;
};

/** Asks each witness about the newest state, or about this one. Places nothing of the store on this computer. */
export async function askWitnesses(
  context: ActionContext,
  session: Session,
  names: readonly string[],
  secrets: SecretOptions,
  only?: Opened,
): Promise<readonly WitnessAnswer[]> {
  const answers: WitnessAnswer[] = [];
  const judge = async (witness: string, seen: StoreMark | undefined): Promise<void> => {
    // Other runs commit meanwhile: what a witness has seen since is in the newest state.
    let opened = only ?? (await session.read());
    let line = seen && (await compareWith(session, opened, seen));
    if (seen !== undefined && line === 'older' && only === undefined) {
      opened = await session.read(0);
      line = await compareWith(session, opened, seen);
    }
    const mark = markOf(opened);
    const refusal =
      seen && mark && line && line !== 'continues' && witnessRefusal(session.url, witness, line, { seen, mark });
    answers.push({
      document: { witness, line: line ?? 'nothing', number: seen?.number },
      errors: refusal ? [refusal] : [],
    });
  };
  const fail = (witness: string, error: unknown): void => {
    answers.push({ document: { witness, line: 'failed' }, errors: asErrors(error, context.runtime.signal) });
  };
  for (const name of new Set(names)) {
    if (name === HOSTS) await askHosts(context, session, only ?? (await session.read()), secrets, { judge, fail });
    else
      try {
        const seen = await readWitness(name, storeOptions(context));
        if (seen.id !== markOf(await session.read())?.id) throw unusable(name, 'it is of another store');
        await judge(name, seen);
      } catch (error) {
        fail(name, error);
      }
  }
  return answers;
}

/** Failures and refusals, the most severe last. */
export function errorsOf(answers: readonly WitnessAnswer[]): DockerTlsError[] {
  const failed = answers.filter(({ document }) => document.line === 'failed');
  return [...failed, ...answers.filter((one) => !failed.includes(one))].flatMap(({ errors }) => errors);
}

async function askHosts(
  context: ActionContext,
  { local, url }: Session,
  opened: Opened,
  secrets: SecretOptions,
  { judge, fail }: Judges,
): Promise<void> {
  const { global, runtime, progress, prompts } = context;
  // Not as a run reads it, which puts files on this computer: nobody has said yet that this state may be used.
  const state = local.merged(readTree(local.home, mapTree(opened.contents, url)));
  const fleet = global.file === undefined ? undefined : await selectSpecs(context, [], { limit: [] }, state, undefined);
  const inFile = new Map(fleet?.specs.map((spec) => [spec.name, spec]));
  const specs = [...state.hosts].map(([name, { record }]) => inFile.get(name) ?? completeHost(record));
  const passwords = await sudoPasswords(secrets, { specs, secrets: fleet?.secrets ?? {} }, context);
  const asked = await overHosts(specs, { parallel: global.parallel, runtime, progress }, async (spec, line) => {
    const { session, facts } = await openHost(spec, { runtime, ask: prompts.ssh, ...passwords }, line);
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
