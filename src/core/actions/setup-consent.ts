/** Confirmations of `setup`: for a host of another store, for clients of another CA, and for the plan itself. */

import { otherClients, otherClientsLose } from '../domain/plan/other-clients.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import { otherClientsQuestion } from '../domain/plan/setup-questions.ts';
import { trustNow } from '../domain/plan/trust-now.ts';
import type { HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { declined } from './prompts.ts';
import type { SetupContext } from './setup-questions.ts';

/** A host managed by another store: a takeover locks its clients out, so it needs a separate confirmation. */
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

/** Asks, before any change, whether to keep accepting clients of another CA that the daemon accepts now. */
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

/** The answer that requests a new plan. */
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
