/** From flags and the fleet file to a run of the engine: the store, passphrases, passwords, and the question to a person. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/fleet/specs.ts';
import type { Secret } from '../domain/secret.ts';
import { CA_DEFAULTS, type CaSpec } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import type { CaToImport } from '../engine/imported-ca.ts';
import type { Run } from '../engine/intent.ts';
import { requestedOnce } from '../engine/requested-once.ts';
import type { ActionContext } from './action-context.ts';
import { approving } from './approve-settings.ts';
import { readFleetCa } from './ca-files.ts';
import { passphraseSource } from './ca-passphrase.ts';
import { caSpec, type GivenOptions, runFlags } from './flags.ts';
import { agree } from './prompts.ts';
import { readSecret, type SecretOptions, sudoPassword } from './secrets.ts';
import { type Selection, selectSpecs } from './selection.ts';
import { storeOf } from './store.ts';

/** How passwords and passphrases come, how a run goes over several hosts, and what its flags say of them (flags.ts). */
export type RunOptions = GivenOptions &
  SecretOptions & {
    readonly canary?: number | undefined;
    readonly maxFailures?: number | undefined;
    readonly shard?: string | undefined;
  };

export type FleetRun = Run & { readonly signer?: CaToImport | undefined };

/** The run of a command over some hosts; reads the passwords that it is promised. `more`: what only this command knows. */
export async function openRun(
  context: ActionContext,
  options: RunOptions,
  { specs, secrets, ca }: Pick<Selection, 'specs' | 'secrets' | 'ca'>,
  more: Partial<Run> = {},
): Promise<FleetRun> {
  const { global, runtime, prompts, progress } = context;
  const { parallel, dryRun } = global;
  // Who wants to see every file sees it before it is written.
  const shown = !global.yes || global.diff;
  const noPassphrase = options.noCaPassphrase === true || secrets.caPassphrase === 'none';
  const signer = await readFleetCa(ca, noPassphrase, runtime.cwd);
  const { canary, maxFailures } = options;
  return {
    ...{ runtime, progress, parallel, canary, maxFailures, dryRun },
    store: storeOf(context),
    asks: shown,
    shared: options.shard !== undefined,
    passphrase: requestedOnce(passphraseSource(options, runtime, prompts, secrets.caPassphrase)),
    ask: prompts.ssh,
    confirm: confirming(context, shown),
    approve: approving(context),
    ...(await sudoPasswords(options, { specs, secrets }, context)),
    ...more,
    signer,
  };
}

/** Asks, after the plans where they are to be shown; without a terminal to ask on, --yes has to have been given. */
export function confirming(
  { global, prompts, renderPlanned }: Pick<ActionContext, 'global' | 'prompts' | 'renderPlanned'>,
  show: boolean,
  ask = (question: string) => agree(prompts, question),
): Run['confirm'] {
  return async (planned, question) => {
    if (show && !(global.quiet && global.yes)) await prompts.show(`\n${await renderPlanned(planned)}\n\n`);
    await ask(question);
  };
}

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

export type StoredOptions = RunOptions & {
  /** Of a new CA, and of the certificates under it. */
  readonly keyType?: CaSpec['keyType'] | undefined;
};

/** Reads the store for a command that changes what is there: rotation, revocation; with `-f` also the secrets that the fleet file names. */
export async function openStoredRun(context: ActionContext, options: StoredOptions): Promise<StoredRun> {
  const state = await storeOf(context).read();
  const fleet =
    context.global.file === undefined ? undefined : await selectSpecs(context, [], { limit: [] }, state, undefined);
  const { name, keyType, days } = state.ca?.record ?? CA_DEFAULTS;
  const ca = caSpec(options, { name, keyType, days });
  const known = fleet?.specs.filter(({ name }) => state.hosts.has(name)) ?? [];
  return {
    run: await openRun(context, options, { specs: known, secrets: fleet?.secrets ?? {}, ca: fleet?.ca }),
    state,
    hosts: fleet === undefined ? [...state.hosts.keys()] : known.map(({ name }) => name),
    flags: { ...runFlags(options, context.runtime.cwd), keyType: options.keyType },
    ca,
  };
}

/** The password that the options promise holds for all hosts; else those that the fleet file names, each reference read once. */
export async function sudoPasswords(
  options: SecretOptions,
  { specs, secrets }: Pick<Selection, 'specs' | 'secrets'>,
  { runtime, prompts }: Pick<ActionContext, 'runtime' | 'prompts'>,
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
