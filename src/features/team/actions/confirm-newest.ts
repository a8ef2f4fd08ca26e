/**
 * Whether a state of the store is the newest one, before its time begins anew. Its hosts are asked; where their word is not enough, a person
 * has to say it, and --yes is not an answer.
 */

import type { ActionContext } from '../../../core/actions/action-context.ts';
import { agree } from '../../../core/actions/ask.ts';
import type { SecretOptions } from '../../../core/actions/given-secrets.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { dateWords, plural } from '../../../core/domain/words.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable, usage } from '../../../errors/errors.ts';
import { expiryOf, hasExpired, isAhead } from '../store/freshness.ts';
import type { Opened } from '../store/opened.ts';
import type { Session } from '../store/session.ts';
import { type CommitWords, commitWords } from '../store/store-refusals.ts';
import { askWitnesses, HOSTS, type WitnessAnswer, type WitnessDocument } from './ask-witnesses.ts';

type Options = SecretOptions & { readonly except: readonly string[]; readonly lastCommit?: string | undefined };

export type Confirming = {
  readonly command: 'store refresh' | 'store restore';
  readonly options: Options;
  /** The state is not the one in the store: it alone is compared. */
  readonly restores?: boolean;
  /** Commits that only the hosts have seen are to be undone. */
  readonly undoes?: boolean;
  /** Asked where no doubt is left; --yes answers it. */
  readonly question?: string;
};

/**
 * Fails if a host has seen a newer state (E_STORE_OLDER), if a person declines (E_DECLINED), and, without a terminal, if only a person can
 * say whether it is the newest: E_STORE_EXPIRED, E_CLOCK, E_STORE_WITNESS. A dry run asks nobody.
 */
export async function confirmNewest(
  context: ActionContext,
  session: Session,
  opened: Opened,
  { command, options, restores = false, undoes = false, question }: Confirming,
): Promise<readonly WitnessDocument[]> {
  const { prompts, progress, global } = context;
  const { except, lastCommit } = options;
  const last = opened.last as NonNullable<Opened['last']>;
  const answers = await askWitnesses(context, session, [HOSTS], options, restores ? opened : undefined);
  const documents = answers.map(({ document }) => document);
  const stranger = except.find((name) => documents.every(({ witness }) => witness !== name));
  if (stranger !== undefined)
    throw usage(`--except ${stranger}: no host of the store`, ['docker-tls status --offline']);
  const objections = answers.filter(({ document }) => objects(document, last.sequence, restores));
  const heard = objections
    .filter(({ document }) => !undoes && !except.includes(document.witness))
    .sort(({ document: one }, { document: other }) => (other.number ?? 0) - (one.number ?? 0));
  if (heard.length > 0) throw refusal(heard, command);
  for (const { document, errors } of answers)
    for (const { message } of errors)
      progress.note(document.line === 'failed' ? `${printable(document.witness)}: ${message}` : message);
  const told = documents.filter(
    ({ witness, line }) => (line === 'continues' || line === 'nothing') && !except.includes(witness),
  );
  if (lastCommit !== undefined && lastCommit !== String(last.sequence))
    throw doubtful('E_STORE_OLDER', session.url, last, `--last-commit says ${lastCommit}`, command);
  const now = session.now();
  const unheard = `none of its ${plural(documents.length, 'host')} says what it has seen of the store`;
  const doubt: readonly [ErrorCode, string] | undefined = hasExpired(last, now)
    ? ['E_STORE_EXPIRED', `it expired on ${dateWords(expiryOf(last) as Date)}`]
    : isAhead(last, now)
      ? ['E_CLOCK', `the clock of this computer says ${now.toISOString()}`]
      : documents.length > 0 && told.length === 0 && !undoes
        ? ['E_STORE_WITNESS', unheard]
        : undefined;
  if (global.dryRun) return documents;
  if (doubt !== undefined && lastCommit === undefined) {
    const [code, why] = doubt;
    if (!prompts.interactive) throw doubtful(code, session.url, last, why, command);
    await agree(prompts, `${commitWords(last)}: ${why}. Is it the last commit that your team knows of?`);
  }
  if (question !== undefined) await agree(prompts, question);
  return documents;
}

/** A restored state may have lost its history with the server, so a host that saw an earlier commit says nothing against it. */
function objects({ line, number = 0 }: WitnessDocument, sequence: number, restores: boolean): boolean {
  return line === 'older' || (line === 'forked' && (!restores || number >= sequence));
}

function refusal(heard: readonly WitnessAnswer[], command: string): DockerTlsError {
  const [first, ...others] = heard.flatMap(({ errors }) => errors) as [DockerTlsError, ...DockerTlsError[]];
  const flags = heard.map(({ document }) => ` --except ${shellQuote(document.witness)}`).join('');
  return new DockerTlsError('E_STORE_OLDER', first.message, {
    where: first.where,
    details: [...(first.details ?? []), ...others.map(({ message }) => message)],
    hints: [
      ...first.hints,
      `if ${heard.length === 1 ? `${printable(heard[0]?.document.witness ?? '')} is` : 'these hosts are'} not to be believed: docker-tls ${command}${flags}`,
    ],
  });
}

function doubtful(code: ErrorCode, url: string, last: CommitWords, why: string, command: string): DockerTlsError {
  return new DockerTlsError(code, `only people can say whether ${commitWords(last)} is the last one: ${why}`, {
    where: url,
    details: ['the server of the store may hide newer commits; --yes does not answer this question'],
    hints: [
      'docker-tls store check --witness hosts',
      `on a terminal, where it asks: docker-tls ${command}`,
      `if your team knows of no later one: docker-tls ${command} --last-commit NUMBER`,
    ],
  });
}

/** How many of the hosts were compared; empty without hosts. */
export function comparedWords(documents: readonly WitnessDocument[]): string {
  const told = documents.filter(({ line }) => line !== 'failed').length;
  return documents.length === 0 ? '' : `; ${told} of ${plural(documents.length, 'host')} compared`;
}
