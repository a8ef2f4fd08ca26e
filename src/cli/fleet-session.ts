/** Owns the start of a command over several hosts: which they are, the CA and clients they need, the passwords that are asked once. */

import type { Store } from '../adapters/store/store.ts';
import type { Secret } from '../domain/secret.ts';
import { CA_DEFAULTS, type CaSpec, type HostSpec } from '../domain/settings.ts';
import { listWords } from '../domain/words.ts';
import { accessOf } from '../engine/access.ts';
import { ensureClients } from '../engine/fleet-apply.ts';
import type { RunContext } from '../engine/host-run.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import { specsFor } from '../engine/specs.ts';
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
import { unknownName } from './resolve-target.ts';
import { passphraseSource, readSecret, sudoPassword } from './secrets.ts';
import { SELECTION_OPTIONS, type Selection, selectSpecs } from './selection.ts';
import { openSession, type Session, usableClients, verifierFor } from './session.ts';

/** What every command takes that plans or changes hosts. */
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

export type FleetSession = {
  readonly specs: readonly HostSpec[];
  /**
   * Makes what is missing (CA, clients), and the context for workflows. In memory only; with `save` it is written first, under the
   * store's lock and after a fresh look at what other runs have written: from then on hosts can be changed.
   */
  open(options?: { readonly save?: boolean }): Promise<RunContext>;
  /** Takes back what `save` wrote, when no host came to use it. */
  forget(): Promise<void>;
};

/** Reads the store and the fleet file; asks for nothing yet. */
export async function startRun(
  context: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts' | 'progress'>,
  hosts: readonly string[],
  options: OptionValues<typeof RUN_OPTIONS>,
  reason: string,
): Promise<FleetSession> {
  const { runtime, prompts } = context;
  const { storeOf } = await import('./store.ts');
  const state = await storeOf(context).read();
  const selection = await selectSpecs(context, hosts, options, state, runFlags(options, runtime.cwd));
  const passphrase = requestedOnce(passphraseSource(options, runtime, prompts, selection.secrets.caPassphrase));
  const about = { ca: selection.ca ?? CA_DEFAULTS, passphrase, rejectOthers: options.rejectOtherClients };
  const start = () => openSession(context, about);
  let passwords: Promise<Pick<RunContext, 'sudoPassword' | 'sudoPasswords'>> | undefined;
  let saved: Session | undefined;
  /** Planned and then applied, a run opens twice. */
  const noted = new Set<string>();

  async function contextOf(session: Session): Promise<RunContext> {
    const { accepted, revoked, notes } = await ensureClients(selection.clients, session, runtime.now());
    for (const note of notes.filter((one) => !noted.has(one))) context.progress.note(note);
    for (const note of notes) noted.add(note);
    const name = options.client ?? accepted[0]?.record.name ?? userName().replace(/[^A-Za-z0-9._@+-]/g, '-');
    if (options.client !== undefined) requireClient(options.client, session.keyring.clients());
    const verifier = await verifierFor(
      session,
      clientSpec(name, {}),
      options.client !== undefined || accepted.length > 0,
    );
    const verifiers = [verifier, ...accepted, ...usableClients(session.state, session.keyring.change())];
    passwords ??= sudoPasswords(options, selection, context);
    return session.context({
      reason,
      verifiers,
      takeOver: options.takeOver,
      mustRefuse: revoked.flatMap(({ record, cert, key }) =>
        key === undefined ? [] : [{ name: record.name, cert, key }],
      ),
      ...(await passwords),
    });
  }

  return {
    specs: selection.specs,
    async open({ save = false } = {}) {
      if (!save) return contextOf(await start());
      // Asked before the store is held.
      passwords ??= sudoPasswords(options, selection, context);
      await passwords;
      const { store } = await start();
      return store.withLock(`docker-tls ${reason}`, async () => {
        const session = await openSession(context, { ...about, store });
        const run = await contextOf(session);
        // What cannot be had with this CA must not come to stand in the store, from where no run could take it back.
        if (Object.keys(session.keyring.change().clients ?? {}).length > 0) await accessOf(session, selection.specs);
        await session.keyring.caCert();
        await run.saveBase();
        saved = session;
        return run;
      });
    },
    async forget() {
      // Another part of a split run may be using it by now.
      if (saved !== undefined && options.shard === undefined) await forgetBase(saved);
    },
  };
}

/** Who verifies the hosts is said, not made: a slip of the hand would be accepted. `setup` and `client add` make clients. */
function requireClient(name: string, clients: ReadonlyMap<string, unknown>): void {
  if (!clients.has(name)) throw unknownName('client', 'E_CLIENT_UNKNOWN', name, [...clients.keys()], '--client');
}

/** Takes a CA and clients that were made for nothing out of the store again. */
async function forgetBase({ store, state: before }: Session): Promise<void> {
  if (before.ca !== undefined) return;
  await store.withLock('docker-tls', async () => {
    const { ca, hosts, clients, issuers } = await store.read();
    if (ca === undefined || hosts.size > 0) return;
    await store.write({
      retireCa: true,
      removeClients: [...clients.keys()].filter((name) => !before.clients.has(name)),
      removeIssuers: [...issuers.keys()].filter((name) => !before.issuers.has(name)),
    });
    const { oldCas } = await store.read();
    await store.write({ removeOldCas: oldCas.filter(({ cert }) => cert === ca.cert).map(({ serial }) => serial) });
  });
}

/** A run may open the store more than once; nobody is asked twice. */
function requestedOnce(source: PassphraseSource): PassphraseSource {
  let fresh: ReturnType<PassphraseSource['forNewCa']> | undefined;
  let existing: ReturnType<PassphraseSource['forExistingCa']> | undefined;
  return {
    forNewCa: () => {
      fresh ??= source.forNewCa();
      return fresh;
    },
    forExistingCa: (opens) => {
      existing ??= source.forExistingCa(opens);
      return existing;
    },
  };
}

/** The password that the options promise holds for all hosts; else those that the fleet file names, each reference read once. */
export async function sudoPasswords(
  options: Pick<OptionValues<typeof SSH_OPTIONS>, 'askSudoPassword' | 'sudoPasswordFile'>,
  { specs, secrets }: Pick<Selection, 'specs' | 'secrets'>,
  { runtime, prompts }: Pick<CommandContext<unknown, unknown>, 'runtime' | 'prompts'>,
): Promise<Pick<RunContext, 'sudoPassword' | 'sudoPasswords'>> {
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

/** A run over hosts that the store has already. */
export type StoredRun = {
  readonly session: Session;
  /** The hosts it is about where none is named: those of the store, or, with `-f`, those of them that the fleet file has. */
  readonly hosts: readonly string[];
  readonly options: StoredOptions;
  /** The specs of hosts by name, with what the options say on top. */
  specs(names: readonly string[]): HostSpec[];
  open(more?: Partial<RunContext>): Promise<RunContext>;
};

export type StoredOptions = Partial<OptionValues<typeof SSH_OPTIONS>> &
  Partial<OptionValues<typeof CA_OPTIONS>> &
  Partial<OptionValues<typeof SAFETY_OPTIONS>> & {
    /** Of a new CA, and of the certificates under it. */
    readonly keyType?: CaSpec['keyType'];
    readonly noOverlap?: boolean;
    readonly rejectOtherClients?: boolean;
    readonly drop?: boolean;
  };

/**
 * Reads the store for a command that changes what is there: rotation, revocation; with `-f` also the secrets that the fleet file names.
 * Asks for nothing yet. `store`: the one whose lock is held.
 */
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
  const flags = { ...runFlags(options, runtime.cwd), keyType: options.keyType };
  const { storeOf } = await import('./store.ts');
  const state = await (store ?? storeOf(context)).read();
  const fleet =
    context.global.file === undefined
      ? undefined
      : await selectSpecs(context, [], { inventory: undefined, limit: [], shard: undefined }, state, undefined);
  const known = fleet?.specs.filter(({ name }) => state.hosts.has(name)) ?? [];
  // A new CA is like the one before, unless the options say otherwise.
  const ca = caSpec(full, state.ca?.record);
  const session = await openSession(context, {
    ca,
    passphrase: passphraseSource(full, runtime, prompts, fleet?.secrets.caPassphrase),
    noOverlap: options.noOverlap ?? false,
    // A CA that is dropped by name goes with all its clients.
    rejectOthers: options.rejectOtherClients ?? options.drop ?? false,
    ...(store ? { store } : {}),
  });
  return {
    session,
    options,
    hosts: fleet === undefined ? [...state.hosts.keys()] : known.map(({ name }) => name),
    specs: (names) => specsFor(names, session.state, flags),
    open: async (more = {}) =>
      session.context({
        reason,
        ...(await sudoPasswords(full, { specs: known, secrets: fleet?.secrets ?? {} }, context)),
        ...more,
      }),
  };
}
