/** Consents of `setup`: to a host of another store, to clients of another CA, and to the plan itself. */

import { otherClients, otherClientsLose } from '../domain/plan/other-clients.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import { otherClientsQuestion } from '../domain/plan/setup-questions.ts';
import { trustNow } from '../domain/plan/trust-now.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { declined } from './prompts.ts';
import type { SetupContext } from './setup-questions.ts';

/** A host in the care of another store: its clients are locked out, which needs a yes of its own. */
export async function askTakeOver(
  { prompts, state }: SetupContext,
  { facts }: OpenedHost,
  host: string,
): Promise<boolean> {
  const other = prompts.interactive ? otherStore(facts, host, state) : undefined;
  if (other === undefined) return false;
  const question = { explain: `Warning: ${other}.`, message: 'Take it over?', default: false, flag: '--take-over' };
  if (!(await prompts.confirm(question))) throw managedExternally(host, other);
  return true;
}

/** Asks what becomes of clients that the daemon accepts already by another CA, before anything changes. */
export async function askOtherClients(
  { prompts, state }: SetupContext,
  { facts }: OpenedHost,
  { name, acceptCa }: HostSpec,
): Promise<'accept' | 'reject' | undefined> {
  const now = prompts.interactive && acceptCa === undefined ? trustNow(facts) : undefined;
  if (now === undefined || now.ours) return undefined;
  const ours = [state.ca, ...state.oldCas].map((ca) => ca?.cert ?? '').join('');
  const others = otherClients(now, ours, state, new Date(facts.clockMs));
  if (!others.needsYes) return undefined;
  const answer = await prompts.select<'accept' | 'reject' | 'end'>(otherClientsQuestion(name, others));
  if (answer === 'end') throw otherClientsLose(name, others, 'theirs');
  return answer;
}

/** The answer to a plan that is to be made anew. */
export class Edit extends Error {}

/** Shows the plan and asks: Enter, e, or n. Throws Edit for e, E_DECLINED (exit 130) for n. */
export async function confirmOrEdit({ prompts }: SetupContext, question: string): Promise<void> {
  const answer = await prompts.input({
    message: `${question} (Enter: yes, e: edit, n: no)`,
    flag: '--yes',
    validate: (text) => /^(y|yes|e|edit|n|no)?$/i.test(text.trim()) || 'Enter, e or n.',
  });
  if (/^e/i.test(answer.trim())) throw new Edit();
  if (/^n/i.test(answer.trim())) throw declined();
}
