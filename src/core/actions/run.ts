/** From flags and a file with hosts to a run of the engine: the store, passphrases, passwords, and confirmation. */

import type { StoreState } from '../adapters/store/records.ts';
import type { HostFlags } from '../domain/hosts/specs.ts';
import type { Secret } from '../domain/secret.ts';
import { CA_DEFAULTS, type CaSpec } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import type { Run } from '../engine/intent.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import type { HostsOfFile } from '../seams/fleet-files.ts';
import { loadIssuers } from '../seams/issuers.ts';
import type { ActionContext } from './action-context.ts';
import { agree } from './ask.ts';
import { passphraseSource, requestedOnce } from './ca-passphrase.ts';
import { readSecret, type SecretOptions, sudoPassword } from './given-secrets.ts';
import { caSpec, type GivenOptions, runFlags } from './host-flags.ts';
import { storeOf } from './open-store.ts';
import { selectSpecs } from './select-hosts.ts';
import { approvingUse } from './store-consent.ts';

/** Options for passwords, passphrases and runs over several hosts, and the values of their flags (flags.ts). */
export type RunOptions = GivenOptions &
  SecretOptions & {
    readonly canary?: number | undefined;
    readonly maxFailures?: number | undefined;
    readonly shard?: string | undefined;
  };

/** The run of a command over some hosts; reads the passwords that its options promise. `more`: additions of this command. */
export async function openRun(
  context: ActionContext,
  options: RunOptions,
  { specs, secrets, ca }: Pick<HostsOfFile, 'specs' | 'secrets' | 'ca'>,
  more: Partial<Run> = {},
): Promise<Run> {
  const { global, runtime, prompts, progress } = context;
  const { parallel, dryRun } = global;
  // With --diff, users want to see every file before it is written.
  const shown = !global.yes || global.diff;
  const noPassphrase = options.noCaPassphrase === true || secrets.caPassphrase === 'none';
  const cert = ca?.cert;
  const signer =
    cert === undefined ? undefined : await (await loadIssuers()).ownCa({ ...ca, cert }, noPassphrase, runtime.cwd);
  const { canary, maxFailures } = options;
  return {
    ...{ runtime, progress, parallel, canary, maxFailures, dryRun },
    store: storeOf(context),
    asks: shown,
    shared: options.shard !== undefined,
    passphrase: requestedOnce(passphraseSource(options, runtime, prompts, secrets.caPassphrase)),
    ask: prompts.ssh,
    confirm: confirming(context, shown),
    approve: approvingUse(context),
    ...(await sudoPasswords(options, { specs, secrets }, context)),
    ...more,
    signer,
  };
}

/** Asks for confirmation, after the plans if they are shown; without a terminal, --yes is required. */
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

type StoredRun = {
  readonly run: Run;
  /** The state when the command began. */
  readonly state: StoreState;
  /** The default hosts: those of the store or, with `-f`, those also in the fleet file. */
  readonly hosts: readonly string[];
  /** Settings of hosts from the options; they override the records. */
  readonly flags: HostFlags;
  /** Settings of a new CA: like the previous one, unless the options say otherwise. */
  readonly ca: CaSpec;
};

export type StoredOptions = RunOptions & {
  /** For a new CA, and for certificates under it. */
  readonly keyType?: CaSpec['keyType'] | undefined;
};

/**
 * Reads the store for a command that changes existing entries: rotation, revocation. With `-f`, also reads the secrets named by the fleet
 * file.
 */
export async function openStoredRun(context: ActionContext, options: StoredOptions): Promise<StoredRun> {
  const state = await storeOf(context).read();
  const fleet =
    context.global.file === undefined ? undefined : await selectSpecs(context, [], { limit: [] }, state, undefined);
  const { name, keyType, days } = state.ca?.record ?? CA_DEFAULTS;
  const ca = caSpec(options, { name, keyType, days });
  const known = fleet?.specs.filter(({ name }) => state.hosts.has(name)) ?? [];
  return {
    run: await openRun(context, options, { specs: known, secrets: fleet?.secrets ?? {}, ca: fleet?.ca }, { state }),
    state,
    hosts: fleet === undefined ? [...state.hosts.keys()] : known.map(({ name }) => name),
    flags: { ...runFlags(options, context.runtime.cwd), keyType: options.keyType },
    ca,
  };
}

/** The passphrase of the store's keys alone, for a command that reaches no host: with `-f`, the fleet file may name it. */
export async function keyPassphrase(
  context: ActionContext,
  options: SecretOptions,
  state: StoreState,
): Promise<PassphraseSource> {
  const { runtime, prompts, global } = context;
  const fleet = global.file === undefined ? undefined : await selectSpecs(context, [], { limit: [] }, state, undefined);
  return requestedOnce(passphraseSource(options, runtime, prompts, fleet?.secrets.caPassphrase));
}

/** One password from the options applies to all hosts; else those that the fleet file names, each reference read once. */
export async function sudoPasswords(
  options: SecretOptions,
  { specs, secrets }: Pick<HostsOfFile, 'specs' | 'secrets'>,
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
