/** The wizard of `setup`: proposed answers, the questions that no flag answers, and confirmations. */

import { DockerTlsError, failureOf, printable } from '../../errors/errors.ts';
import type { ActionContext } from '../actions/action-context.ts';
import { declined } from '../actions/ask.ts';
import { offerFleetFile } from '../actions/fleet-files.ts';
import type { RunOptions } from '../actions/run.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/hosts/specs.ts';
import { hasPort } from '../domain/network-port.ts';
import { otherClients, otherClientsLose } from '../domain/plan/other-clients.ts';
import { managedExternally, otherStore } from '../domain/plan/other-store.ts';
import * as questions from '../domain/plan/setup-questions.ts';
import { otherClientsQuestion, wayQuestion } from '../domain/plan/setup-questions.ts';
import { trustNow } from '../domain/plan/trust-now.ts';
import { type CaSpec, completeHost, type HostSettings, type HostSpec } from '../domain/settings.ts';
import type { OpenedHost } from '../engine/intent.ts';
import { wayProblem } from '../engine/reachability.ts';
import { wayTo } from '../engine/through.ts';
import type { VerifiedAt } from '../engine/verify-host.ts';
import { copiesCode } from '../seams/copies.ts';
import type { WritableFleet } from '../seams/fleet-files.ts';
import { ownClientName } from '../user.ts';

/** Options of `setup` outside flags.ts. */
type SetupOptions = RunOptions & {
  readonly name?: string;
  readonly acceptCa?: string;
  readonly keyType?: CaSpec['keyType'];
  readonly days?: number;
  readonly client?: string;
  readonly context?: string;
  readonly noContext: boolean;
  readonly use: boolean;
  readonly configDirectory: boolean;
  readonly takeOver: boolean;
  readonly rejectOtherClients: boolean;
};

/** The request, and the environment that it meets. */
export type SetupContext = ActionContext & {
  readonly options: SetupOptions;
  readonly flags: HostFlags;
  readonly fleet: WritableFleet | undefined;
  readonly state: StoreState;
};

/** The content of a setup, apart from the host's own state: proposals from flags and facts, and answers. */
export type SetupAnswers = {
  readonly spec: HostSpec;
  readonly client: { readonly name: string; readonly requested: boolean };
  /** The fleet file that gets the host. */
  readonly file: WritableFleet | undefined;
};

/** Fails, before a login, with E_NAME or E_USAGE (exit 2) if clients could not dial what they would be given. */
export async function refuseUndialled(spec: HostSpec, options: SetupOptions): Promise<void> {
  if (spec.address === undefined && spec.ssh.destination.includes('%')) throw zoned(spec.ssh.destination);
  if (!hasPort(spec)) (await copiesCode())?.refuseWithoutPort(spec.name, options);
}

function zoned(destination: string): DockerTlsError {
  return new DockerTlsError(
    'E_NAME',
    `clients cannot dial ${destination}: a zone is good on one computer only, and docker verifies no address that has one`,
    { hints: ['name what they dial: --address NAME'] },
  );
}

/** `problem`: the failure of the previous answer. */
export async function askDestination({ prompts }: SetupContext, problem?: DockerTlsError): Promise<string> {
  if (prompts.interactive && problem === undefined)
    await prompts.show(
      ': mutual TLS for the Docker daemon of a host.\nNothing changes before you say yes. Ctrl-C leaves everything as it was.\n',
      'docker-tls setup',
    );
  return prompts.input(questions.hostQuestion(problem));
}

/** A setup without questions; the wizard shows the same proposal, and `e` edits it. */
export function propose(context: SetupContext, first: HostSpec, opened: OpenedHost): SetupAnswers {
  const { options, flags, state, fleet } = context;
  const name =
    flags.name ?? (isKnown(context, first) ? first.name : questions.proposedName(first, opened.facts, state));
  const spec = { ...first, name };
  const client = { name: options.client ?? ownClientName(), requested: options.client !== undefined };
  return { spec, client, file: fleet };
}

/** In the store or the fleet file. */
function isKnown({ state, fleet }: SetupContext, { name }: HostSpec): boolean {
  return state.hosts.has(name) || fleet?.has(name) === true;
}

/** With the docker context that a new host gets unasked. */
export async function withContext(
  context: SetupContext,
  answers: SetupAnswers,
  first: HostSpec,
  { session }: OpenedHost,
): Promise<SetupAnswers> {
  if (isKnown(context, first) || context.options.noContext) return answers;
  const copies = await copiesCode();
  return { ...answers, spec: (await copies?.propose(answers.spec, session.dialled, context)) ?? answers.spec };
}

/** Asks for each answer that no flag gave, with the present one as default. */
export async function editAnswers(
  context: SetupContext,
  before: SetupAnswers,
  opened: OpenedHost,
): Promise<SetupAnswers> {
  const { options, flags, prompts, state } = context;
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
  const file = before.file ?? (await offerFleetFile(context));
  return { spec: { ...spec, context: docker }, client, file };
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
export async function askTakeOver(
  { prompts, state }: SetupContext,
  { facts }: OpenedHost,
  host: string,
): Promise<boolean> {
  const other = prompts.interactive ? otherStore(facts, host, state) : undefined;
  if (other === undefined) return false;
  const flag = '--take-over';
  const question = { explain: `Warning: ${other}.`, message: 'Take it over?', flag, typedAs: () => [flag] };
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

/** Shows the plan and asks: y, e, or n, which is Enter as at every other question. Throws Edit for e, E_DECLINED (exit 130) for n. */
export async function confirmOrEdit({ prompts }: SetupContext, question: string): Promise<void> {
  const answer = await prompts.input({
    message: `${question} (y: yes, e: edit, Enter: no)`,
    flag: '--yes',
    validate: (text) => /^(y|yes|e|edit|n|no)?$/i.test(text.trim()) || 'y, e or n.',
  });
  if (/^e/i.test(answer.trim())) throw new Edit();
  if (!/^y/i.test(answer.trim())) throw declined();
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
  const problem = await wayProblem(runtime.probe, spec.name, at, { firewall: opened.facts.firewall, login });
  if (problem === undefined) return answers;
  const closed = await problemThroughSsh(context, spec.name, at, opened.session);
  const answer = await prompts.select(wayQuestion(spec.name, tunnel?.via ?? 'ssh', problem, closed));
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
