/** The wizard of `setup`: the questions that no flag answers, and confirmations. */

import { declined } from '../../../core/actions/ask.ts';
import { hasPort } from '../../../core/domain/network-port.ts';
import { otherClients, otherClientsLose } from '../../../core/domain/plan/other-clients.ts';
import { managedExternally, otherStore } from '../../../core/domain/plan/other-store.ts';
import { trustNow } from '../../../core/domain/plan/trust-now.ts';
import { completeHost, type HostSettings, type HostSpec } from '../../../core/domain/settings.ts';
import type { OpenedHost } from '../../../core/engine/intent.ts';
import { wayProblem } from '../../../core/engine/reachability.ts';
import { wayTo } from '../../../core/engine/through.ts';
import type { VerifiedAt } from '../../../core/engine/verify-host.ts';
import { copiesCode } from '../../../core/seams/copies.ts';
import { FLEET_FILES } from '../../../core/seams/fleet-files.ts';
import type { SetupAnswers, SetupContext, Wizard } from '../../../core/seams/wizard.ts';
import { type DockerTlsError, failureOf, printable } from '../../../errors/errors.ts';
import * as questions from '../domain/questions.ts';

export const wizard: Wizard = { askHost, complete, edit, confirm };

async function askHost({ prompts }: SetupContext, problem: DockerTlsError | undefined): Promise<string> {
  if (problem === undefined)
    await prompts.show(
      ': mutual TLS for the Docker daemon of a host.\nNothing changes before you say yes. Ctrl-C leaves everything as it was.\n',
      'docker-tls setup',
    );
  return prompts.input(questions.hostQuestion(problem));
}

async function complete(
  context: SetupContext,
  proposed: SetupAnswers,
  opened: OpenedHost,
  isNew: boolean,
): Promise<SetupAnswers> {
  const answers = isNew ? await withOpenWay(context, proposed, opened) : proposed;
  const takeOver = answers.takeOver || (await askTakeOver(context, opened, answers.spec.name));
  if (takeOver || answers.rejectOthers) return { ...answers, takeOver };
  const others = await askOtherClients(context, opened, answers.spec);
  return others === 'accept'
    ? { ...answers, spec: { ...answers.spec, acceptCa: 'existing' } }
    : { ...answers, rejectOthers: others === 'reject' };
}

async function edit(context: SetupContext, before: SetupAnswers, opened: OpenedHost): Promise<SetupAnswers> {
  const { options, flags, prompts, runtime, state } = context;
  const name = flags.name ?? (await prompts.input(questions.nameQuestion(before.spec.name, state)));
  const address = flags.address ?? (await askAddress(context, { ...before.spec, name }, opened));
  const proposed = opened.proposed(address).map(({ value }) => value);
  const more = { sans: `In the certificate already: ${printable(proposed.join(', '))}.` };
  const spec = withAddress({ ...before.spec, name, ...(await askSettings(context, more)) }, address, opened, context);
  const client =
    options.client === undefined && hasPort(spec)
      ? { name: await prompts.input(questions.clientQuestion(before.client.name)), requested: true }
      : before.client;
  const copies = options.noContext ? undefined : await copiesCode();
  const docker = await copies?.ask(spec, before.spec, { options, prompts });
  const file = before.file ?? (await (await FLEET_FILES.all[0]?.load())?.offer(prompts, runtime));
  return { ...before, spec: { ...spec, context: docker }, client, file };
}

/** Asks the questions of settings that no flag gave, except the address. `more` is added to the explanation. An empty answer is the default. */
async function askSettings(
  { flags, prompts }: SetupContext,
  more: Readonly<Partial<Record<string, string>>>,
): Promise<Partial<HostSettings>> {
  const answers: Record<string, unknown> = {};
  for (const field of questions.ASKED) {
    if (field === 'address' || flags[field] !== undefined) continue;
    const { read, validate, ...question } = questions.settingQuestion(field, more[field]);
    const isNone = (text: string) => text.trim() === '';
    const answer = await prompts.input({ ...question, validate: (text) => isNone(text) || validate(text) });
    answers[field] = isNone(answer) ? undefined : read(answer);
  }
  return answers;
}

/** The address for clients; it must be reachable. */
async function askAddress(
  { prompts, runtime }: SetupContext,
  spec: HostSpec,
  { session }: OpenedHost,
): Promise<string> {
  const { probe } = wayTo(spec, runtime.probe, session);
  const { validate, read, ...question } = questions.settingQuestion('address');
  const answer = await prompts.input({
    ...question,
    default: spec.address ?? session.dialled,
    validate: async (text) => {
      const readable = validate(text);
      if (readable !== true || !hasPort(spec)) return readable;
      const problem = await wayProblem(probe, spec.name, { address: read(text), port: spec.port });
      // Ways out are whole commands, which are no answer here.
      return problem === undefined ? true : `${problem.message}\nOpen the port or give another address; Ctrl-C ends.`;
    },
  });
  return read(answer);
}

/** A proposed address is not stored, so that it follows the address that ssh dials. */
function withAddress(
  spec: HostSpec,
  address: string,
  { session }: OpenedHost,
  { flags }: Pick<SetupContext, 'flags'>,
): HostSpec {
  const own = address === session.dialled && flags.address === undefined ? undefined : address;
  return completeHost({ ...spec, address: own });
}

/** A host managed by another store: a takeover locks its clients out, so it needs a separate confirmation. */
async function askTakeOver({ prompts, state }: SetupContext, { facts }: OpenedHost, host: string): Promise<boolean> {
  const other = otherStore(facts, host, state);
  if (other === undefined) return false;
  const flag = '--take-over';
  const question = { explain: `Warning: ${other}.`, message: 'Take it over?', flag, typedAs: () => [flag] };
  if (!(await prompts.confirm(question))) throw managedExternally(host, other);
  return true;
}

/** Asks, before any change, whether to keep accepting clients of another CA that the daemon accepts now. */
async function askOtherClients(
  { prompts, state }: SetupContext,
  { facts }: OpenedHost,
  { name, acceptCa }: HostSpec,
): Promise<'accept' | 'reject' | undefined> {
  const now = acceptCa === undefined ? trustNow(facts) : undefined;
  if (now === undefined || now.ours) return undefined;
  const ours = [state.ca, ...state.oldCas].map((ca) => ca?.cert ?? '').join('');
  const others = otherClients(now, ours, state, new Date(facts.clockMs));
  if (!others.needsYes) return undefined;
  const answer = await prompts.select<'accept' | 'reject' | 'end'>(questions.otherClientsQuestion(name, others));
  if (answer === 'end') throw otherClientsLose(name, others, 'theirs');
  return answer;
}

/** Of y, e and n, Enter is n, as at every other question. */
async function confirm({ prompts }: SetupContext, question: string): Promise<'yes' | 'edit'> {
  const answer = await prompts.input({
    message: `${question} (y: yes, e: edit, Enter: no)`,
    flag: '--yes',
    validate: (text) => /^(y|yes|e|edit|n|no)?$/i.test(text.trim()) || 'y, e or n.',
  });
  if (/^e/i.test(answer.trim())) return 'edit';
  if (!/^y/i.test(answer.trim())) throw declined();
  return 'yes';
}

/** If this machine cannot reach the TLS port, asks for the clients' route to it: verification uses that route. */
export async function withOpenWay(
  context: SetupContext,
  answers: SetupAnswers,
  opened: OpenedHost,
): Promise<SetupAnswers> {
  const { prompts, runtime } = context;
  const { spec } = answers;
  const { dialled, login, tunnel } = opened.session;
  if (spec.reach === 'ssh' || !hasPort(spec)) return answers;
  const at = { address: spec.address ?? dialled, port: spec.port };
  const problem = await wayProblem(runtime.probe, spec.name, at, { facts: opened.facts, login });
  if (problem === undefined) return answers;
  const closed = await problemThroughSsh(context, spec.name, at, opened.session);
  const answer = await prompts.select(questions.wayQuestion(spec.name, tunnel?.via ?? 'ssh', problem, closed));
  if (answer === 'end') throw problem;
  if (answer === 'ssh') return { ...answers, spec: { ...spec, reach: 'ssh' } };
  return { ...answers, spec: withAddress(spec, await askAddress(context, spec, opened), opened, context) };
}

/** The problem with a route through ssh: sshd does not forward, or the port does not answer through it either. */
async function problemThroughSsh(
  { runtime }: SetupContext,
  host: string,
  at: VerifiedAt,
  session: OpenedHost['session'],
): Promise<DockerTlsError | undefined> {
  try {
    return await wayProblem(wayTo({ reach: 'ssh' }, runtime.probe, session).probe, host, at);
  } catch (error) {
    return failureOf(error);
  }
}
