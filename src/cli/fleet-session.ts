/** Owns the start of a command over several hosts: which they are, the CA and clients they need, the passwords that are asked once. */

import type { HostSpec } from '../config/spec.ts';
import type { Store } from '../store/store.ts';
import { ensureClients } from '../workflows/fleet-apply.ts';
import type { RunContext } from '../workflows/host-run.ts';
import { specFor } from '../workflows/specs.ts';
import type { CommandContext, OptionSpecs, OptionValues } from './command.ts';
import {
  CA_OPTIONS,
  caSpec,
  clientSpec,
  HOST_OPTIONS,
  hostFlags,
  passphraseSource,
  readSecret,
  SSH_OPTIONS,
  sudoPassword,
} from './host-options.ts';
import { userName } from './runtime.ts';
import { SELECTION_OPTIONS, selectSpecs } from './selection.ts';
import { openSession, proverFor, type Session } from './session.ts';

/** What every command takes that plans or changes hosts. */
export const RUN_OPTIONS = {
  ...SELECTION_OPTIONS,
  ...SSH_OPTIONS,
  ...HOST_OPTIONS,
  ...CA_OPTIONS,
  client: {
    kind: 'text',
    value: 'NAME',
    summary: 'the client that proves the hosts; default: the one whose key is here',
    completes: 'client',
  },
} as const satisfies OptionSpecs;

export type FleetSession = {
  readonly session: Session;
  readonly specs: readonly HostSpec[];
  /** Makes what is missing (CA, clients) in memory, and the context for workflows. */
  open(more?: Partial<RunContext>): Promise<RunContext>;
};

/** Reads the store and the fleet file; asks for nothing yet. */
export async function startRun(
  context: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts'>,
  hosts: readonly string[],
  options: OptionValues<typeof RUN_OPTIONS>,
  reason: string,
): Promise<FleetSession> {
  const { runtime, prompts } = context;
  const { openStore } = await import('../store/store.ts');
  const state = await openStore(context.global.home, { now: runtime.now }).read();
  const selection = await selectSpecs(context, hosts, options, state, hostFlags(options, runtime.cwd));
  const passphrase = passphraseSource(options, runtime, prompts, selection.secrets.caPassphrase);
  const session = await openSession(context, { ca: selection.ca ?? caSpec(options), passphrase });
  return {
    session,
    specs: selection.specs,
    open: async (more = {}) => {
      const sudo =
        (await sudoPassword(options, runtime, prompts)) ??
        (await sharedSudo(selection.secrets.sudoPassword, selection.specs, context));
      await ensureClients(selection.clients, session.keyring);
      const name = options.client ?? selection.clients[0]?.name ?? userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
      const prover = await proverFor(
        session,
        clientSpec(name, options),
        options.client !== undefined || selection.clients.length > 0,
      );
      return session.context({ prover, reason, ...(sudo ? { sudoPassword: sudo } : {}), ...more });
    },
  };
}

/** The password for sudo that the fleet file names; hosts that name the same reference ask once. */
export async function sharedSudo(
  references: Readonly<Record<string, string>> | undefined,
  specs: readonly HostSpec[],
  { runtime, prompts }: Pick<CommandContext<unknown, unknown>, 'runtime' | 'prompts'>,
) {
  const reference = specs.map((spec) => references?.[spec.name]).find((one) => one !== undefined);
  return reference === undefined
    ? undefined
    : readSecret(reference, 'sudo-password', runtime, prompts, 'Password for sudo:');
}

/** A run over hosts that the store has already. */
export type StoredRun = {
  readonly session: Session;
  readonly options: StoredOptions;
  /** The specs of hosts by name, with what the options say on top. */
  specs(names: readonly string[]): HostSpec[];
  open(more?: Partial<RunContext>): Promise<RunContext>;
};

export type StoredOptions = Partial<OptionValues<typeof SSH_OPTIONS>> &
  Partial<OptionValues<typeof CA_OPTIONS>> &
  Partial<Pick<OptionValues<typeof HOST_OPTIONS>, 'containers' | 'confirmWithin' | 'keyType'>>;

/** Reads the store for a command that changes what is there: rotation, revocation. Asks for nothing yet. `store`: the one whose lock is held. */
export async function startStored(
  context: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts'>,
  options: StoredOptions,
  reason: string,
  store?: Store,
): Promise<StoredRun> {
  const { runtime, prompts } = context;
  const full = { identity: [], jump: [], askSudoPassword: false, noCaPassphrase: false, ...options } as OptionValues<
    typeof SSH_OPTIONS
  > &
    OptionValues<typeof CA_OPTIONS>;
  const flags = hostFlags(
    { ...full, containers: options.containers, confirmWithin: options.confirmWithin },
    runtime.cwd,
  );
  const { openStore } = await import('../store/store.ts');
  const state = await (store ?? openStore(context.global.home, { now: runtime.now })).read();
  const record = state.ca?.record;
  // A new CA is like the one before, unless the options say otherwise.
  const ca = {
    ...caSpec({ ...full, keyType: options.keyType }),
    ...(options.caName === undefined && record ? { name: record.name } : {}),
    ...(options.keyType === undefined && record ? { keyType: record.keyType } : {}),
    ...(options.caDays === undefined && record ? { days: record.days } : {}),
  };
  const session = await openSession(context, {
    ca,
    passphrase: passphraseSource(full, runtime, prompts),
    ...(store ? { store } : {}),
  });
  return {
    session,
    options,
    specs: (names) => names.map((name) => specFor(name, session.state, { ...flags, name: undefined })),
    open: async (more = {}) => {
      const sudo = await sudoPassword(full, runtime, prompts);
      return session.context({ reason, ...(sudo ? { sudoPassword: sudo } : {}), ...more });
    },
  };
}
