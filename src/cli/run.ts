/** Owns how flags and the fleet file become a run of the engine: the store, passphrases, passwords, and the question to a person. */

import type { ApplyRequest } from '../actions/apply.ts';
import type { StoreState } from '../adapters/store/records.ts';
import type { Secret } from '../domain/secret.ts';
import { CA_DEFAULTS, type CaSpec } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import type { Run } from '../engine/intent.ts';
import { requestedOnce } from '../engine/key-protection.ts';
import type { HostFlags } from '../engine/specs.ts';
import { userName } from '../user.ts';
import type { CommandContext, OptionSpecs, OptionValues } from './command.ts';
import {
  type CA_OPTIONS,
  caSpec,
  clientSpec,
  PASSPHRASE_OPTIONS,
  REJECT_OPTION,
  runFlags,
  SAFETY_OPTIONS,
  SSH_OPTIONS,
  TAKE_OVER_OPTION,
} from './host-options.ts';
import { agree } from './prompts.ts';
import { renderPlanned } from './render/change.ts';
import { unknownName } from './resolve-target.ts';
import { passphraseSource, readSecret, sudoPassword } from './secrets.ts';
import { SELECTION_OPTIONS, type Selection, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

/** How a run goes over several hosts. */
export const POOL_OPTIONS = {
  canary: { kind: 'number', min: 0, value: 'N', summary: 'this many hosts first; the others only if all went well' },
  maxFailures: { kind: 'number', min: 1, value: 'N', summary: 'begin no further host after this many failures' },
} as const satisfies OptionSpecs;

/** What every command takes that plans or changes hosts by what is said of them. */
export const RUN_OPTIONS = {
  ...SELECTION_OPTIONS,
  ...SSH_OPTIONS,
  ...SAFETY_OPTIONS,
  ...TAKE_OVER_OPTION,
  ...REJECT_OPTION,
  ...PASSPHRASE_OPTIONS,
  client: {
    kind: 'text',
    value: 'NAME',
    group: 'Safety',
    summary: 'verify as this client (default: your own)',
    completes: 'client',
  },
} as const satisfies OptionSpecs;

/** What every command takes that changes hosts which are in the store already. */
export const STORED_OPTIONS = {
  ...SSH_OPTIONS,
  caPassphraseFile: PASSPHRASE_OPTIONS.caPassphraseFile,
  ...SAFETY_OPTIONS,
  ...REJECT_OPTION,
  ...POOL_OPTIONS,
} as const satisfies OptionSpecs;

export type Around = Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts' | 'progress'>;

export type RunOptions = Partial<OptionValues<typeof SSH_OPTIONS>> &
  Partial<OptionValues<typeof CA_OPTIONS>> &
  Partial<OptionValues<typeof POOL_OPTIONS>> & { readonly shard?: string | undefined };

/** The run of a command over some hosts; reads the passwords that it is promised. `more`: what only this command knows. */
export async function openRun(
  context: Around,
  options: RunOptions,
  { specs, secrets }: Pick<Selection, 'specs' | 'secrets'>,
  more: Partial<Run> = {},
): Promise<Run> {
  const { global, runtime, prompts, progress } = context;
  const { parallel, dryRun } = global;
  const { canary, maxFailures } = options;
  return {
    ...{ runtime, progress, parallel, canary, maxFailures, dryRun },
    store: storeOf(context),
    asks: !global.yes,
    shared: options.shard !== undefined,
    passphrase: requestedOnce(passphraseSource(withDefaults(options), runtime, prompts, secrets.caPassphrase)),
    ask: prompts.ssh,
    confirm: confirming(context, !global.yes),
    ...(await sudoPasswords(withDefaults(options), { specs, secrets }, context)),
    ...more,
  };
}

/** Asks, after the plans where they are to be shown; without a terminal to ask on, --yes has to have been given. */
export function confirming(
  { global, prompts, runtime }: Around,
  show: boolean,
  ask = (question: string) => agree(prompts, question),
): Run['confirm'] {
  return async (planned, question) => {
    if (show && !(global.quiet && global.yes))
      await prompts.show(`\n${renderPlanned(planned, { runtime, global })}\n\n`);
    await ask(question);
  };
}

function withDefaults(options: RunOptions) {
  const none = { identity: [], jump: [], askSudoPassword: false, noCaPassphrase: false };
  return { ...none, ...options } as OptionValues<typeof SSH_OPTIONS> & OptionValues<typeof CA_OPTIONS>;
}

/** A run over hosts that the store has already. */
export type StoredRun = {
  readonly run: Run;
  /** As it was when the command began. */
  readonly state: StoreState;
  /** The hosts it is about where none is named: those of the store, or, with `-f`, those of them that the fleet file has. */
  readonly hosts: readonly string[];
  /** What the options say of hosts, on top of their records. */
  readonly flags: HostFlags;
  /** A new CA: like the one before, unless the options say otherwise. */
  readonly ca: CaSpec;
};

export type StoredOptions = RunOptions &
  Partial<OptionValues<typeof SAFETY_OPTIONS>> & {
    /** Of a new CA, and of the certificates under it. */
    readonly keyType?: CaSpec['keyType'] | undefined;
  };

/** Reads the store for a command that changes what is there: rotation, revocation; with `-f` also the secrets that the fleet file names. */
export async function openStoredRun(
  context: Around,
  options: StoredOptions,
  more: Partial<Run> = {},
): Promise<StoredRun> {
  const state = await storeOf(context).read();
  const fleet =
    context.global.file === undefined
      ? undefined
      : await selectSpecs(context, [], { inventory: undefined, limit: [], shard: undefined }, state, undefined);
  const ca = caSpec(options, state.ca?.record);
  const known = fleet?.specs.filter(({ name }) => state.hosts.has(name)) ?? [];
  return {
    run: await openRun(context, options, { specs: known, secrets: fleet?.secrets ?? {} }, more),
    state,
    hosts: fleet === undefined ? [...state.hosts.keys()] : known.map(({ name }) => name),
    flags: { ...runFlags(options, context.runtime.cwd), keyType: options.keyType },
    ca: { name: ca.name, keyType: ca.keyType, days: ca.days },
  };
}

/** The password that the options promise holds for all hosts; else those that the fleet file names, each reference read once. */
export async function sudoPasswords(
  options: Pick<OptionValues<typeof SSH_OPTIONS>, 'askSudoPassword' | 'sudoPasswordFile'>,
  { specs, secrets }: Pick<Selection, 'specs' | 'secrets'>,
  { runtime, prompts }: Pick<Around, 'runtime' | 'prompts'>,
): Promise<Pick<Run, 'sudoPassword' | 'sudoPasswords'>> {
  const common = await sudoPassword(options, runtime, prompts);
  if (common !== undefined) return { sudoPassword: common };
  const users = new Map<string, string[]>();
  for (const { name } of specs) {
    const reference = secrets.sudoPassword?.[name];
    if (reference !== undefined) users.set(reference, [...(users.get(reference) ?? []), name]);
  }
  const found = new Map<string, Secret>();
  for (const [reference, names] of users) {
    const question = { message: `Password for sudo on ${listWords(names, 4)}:` };
    const secret = await readSecret(reference, `hosts.${names[0]}.sudo-password`, runtime, prompts, question);
    for (const name of names) found.set(name, secret);
  }
  return found.size === 0 ? {} : { sudoPasswords: found };
}

/** The hosts that HOST, the fleet file, an inventory or the store name, as `apply` takes them. */
export async function openHosts(
  context: Around,
  hosts: readonly string[],
  options: OptionValues<typeof RUN_OPTIONS> & Partial<OptionValues<typeof POOL_OPTIONS>>,
): Promise<{
  readonly run: Run;
  readonly state: StoreState;
  readonly request: Omit<ApplyRequest, 'reason'> & { reason: 'apply' };
}> {
  const { global, runtime } = context;
  const state = await storeOf(context).read();
  const selection = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const { client } = options;
  const known = [...new Set([...state.clients.keys(), ...selection.clients.map(({ name }) => name)])];
  // Which client verifies the hosts is said, not made: a slip of the hand would be accepted. `setup` and `client add` make clients.
  if (client !== undefined && !known.includes(client))
    throw unknownName('client', 'E_CLIENT_UNKNOWN', client, known, '--client');
  const name = client ?? userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
  return {
    state,
    run: await openRun(context, options, selection),
    request: {
      reason: 'apply',
      hosts: selection.specs,
      clients: selection.clients,
      ca: selection.ca ?? CA_DEFAULTS,
      client: { spec: clientSpec(name, {}), named: client !== undefined },
      takeOver: options.takeOver,
      rejectOthers: options.rejectOtherClients,
      // Only a fleet file says which fixes there are not.
      addHardening: global.file === undefined,
    },
  };
}
