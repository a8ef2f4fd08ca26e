/** A change, planned or made, as text and JSON: shared by every command that changes something. */

import type { CommandResult } from '../../cli/command.ts';
import { gravestExit, printable } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { type Changed, exitOfChange, failuresOf, type Planned } from '../actions/results.ts';
import { signerWords } from '../domain/external-ca.ts';
import { errorsOf, exitOfResults } from '../domain/host-results.ts';
import type { StoreSettings } from '../domain/store-settings.ts';
import type { CredentialChange } from '../domain/trust/changes.ts';
import { listWords, plural } from '../domain/words.ts';
import type { Io } from '../runtime.ts';
import {
  type ChangeDocument,
  type MadeChangeDocument,
  madeChangeDocument,
  type PlannedChangeDocument,
  plannedChangeDocument,
} from './change-document.ts';
import { type Colours, coloursOf } from './colours.ts';
import { renderAttention, renderOutcome, renderResults } from './host-outcome.ts';
import { isChanging, renderPlans } from './plan-text.ts';
import { tableWidth } from './table.ts';

export type RenderContext = Pick<ActionContext, 'global' | 'runtime'>;

/** The result of a change or of its plan; a command adds its own sentences around it. */
export function renderChange(changed: Changed, around: RenderContext): CommandResult<ChangeDocument> {
  return changed.planned === undefined ? renderMade(changed, around) : renderPlanned(changed.planned, around);
}

/** The result of a dry run. */
export function renderPlanned(planned: Planned, around: RenderContext): CommandResult<PlannedChangeDocument> {
  const { hosts, wanted } = planned;
  const leftOut = wanted.leftOut ?? [];
  const text = planText(planned, around);
  return {
    exit: gravestExit([exitOfResults(hosts, around.runtime.signal), ...leftOut.map(({ exit }) => exit)]),
    result: plannedChangeDocument(planned),
    text,
    attention: hosts.some(isChanging) ? text : '',
    errors: [...leftOut, ...errorsOf(hosts)],
  };
}

/** The result of a change that was made. */
export function renderMade(changed: Changed, { runtime }: RenderContext): CommandResult<MadeChangeDocument> {
  const { results } = changed;
  return {
    exit: exitOfChange(changed, runtime.signal),
    result: madeChangeDocument(results),
    text: resultsText(results, runtime.io),
    attention: renderAttention(results),
    errors: failuresOf(changed),
  };
}

/** A table of several hosts, the outcome of a single one, and nothing where its error says everything. */
function resultsText(results: Changed['results'], io: Io): string {
  const colours = coloursOf(io);
  const [only] = results;
  if (results.length > 1 || only?.kind === 'skipped') return renderResults(results, colours, tableWidth(io));
  // On a terminal the progress has its time, from the login on.
  return only?.kind === 'done' ? renderOutcome(only.value, colours, { timed: !io.errIsTerminal }) : '';
}

/** Credentials to issue, then changes on hosts, with a reason for hosts that the user did not name. */
export function planText({ wanted, hosts, signer, unapproved }: Planned, { runtime, global }: RenderContext): string {
  const colours = coloursOf(runtime.io);
  const { verbose, diff } = global;
  return [
    renderCredentials(wanted.credentials, colours),
    signer === undefined ? '' : renderSigner(signer, unapproved === true, colours),
    hosts.length === 0 ? '' : renderPlans(hosts, { colours, verbose, diff, columns: tableWidth(runtime.io) }),
  ]
    .filter((part) => part !== '')
    .join('\n\n');
}

/** The parts of the CA's settings that run a program or send data on this machine. */
function renderSigner({ id, values }: StoreSettings, unapproved: boolean, { bold }: Colours): string {
  const lines = values.map(([name, value]) => `${name.padEnd(13)}${printable(value)}`);
  const words = `set in the shared store and not accepted on this computer: --trust-store-settings ${id}`;
  return [`${bold('to sign, this computer')}`, ...lines, ...(unapproved ? [words] : [])].join('\n  ');
}

/** One line for each kind of credential. */
function renderCredentials(changes: readonly CredentialChange[], { bold }: Colours): string {
  const lines = changes.flatMap((change) => {
    if (change.kind === 'create-ca' || change.kind === 'replace-ca')
      return [`new CA       ${bold(change.ca.name)}, ${change.ca.keyType}, ${plural(change.ca.days, 'day')}`];
    if (change.kind === 'import-ca')
      return [`your CA      ${bold(change.ca.record.name)}, ${signerWords(change.ca.record)}`];
    return change.kind === 'drop-old-cas' ? ['old CA       no longer accepted'] : [];
  });
  const named = (title: string, filter: (change: CredentialChange) => boolean) => {
    const names = changes.filter(filter).flatMap((change) => ('record' in change ? [change.record.name] : []));
    if (names.length > 0) lines.push(`${title.padEnd(13)}${listWords(names, 12)}`);
  };
  named('new client', (change) => change.kind === 'client' && change.why === 'new');
  named('renewed', (change) => change.kind === 'client' && change.why === 'renewal');
  named('revoked', (change) => change.kind === 'record' && change.record.revokedAt !== undefined);
  named('changed', (change) => change.kind === 'record' && change.record.revokedAt === undefined);
  return lines.join('\n');
}
