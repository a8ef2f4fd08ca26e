/** Owns what every command that touches hosts needs at its start: the store, the keyring, the client of this computer. */

import type { StoreChange, StoredClient, StoreState } from '../adapters/store/records.ts';
import type { Store, UndoToken } from '../adapters/store/store.ts';
import type { KnownHosts } from '../domain/plan/other-store.ts';
import type { Secret } from '../domain/secret.ts';
import type { CaSpec, ClientSpec } from '../domain/settings.ts';
import type { RunContext } from '../engine/host-run.ts';
import type { PassphraseSource } from '../engine/key-protection.ts';
import { type Keyring, openKeyring } from '../engine/keyring.ts';
import { ownOf } from '../engine/own-client.ts';
import { DockerTlsError } from '../errors/errors.ts';
import type { CommandContext } from './command.ts';
import { storeOf } from './store.ts';

export type Session = {
  readonly store: Store;
  readonly state: StoreState;
  readonly keyring: Keyring;
  /** Clients that nobody here knows may lose a host: --reject-other-clients. */
  readonly rejectOthers: boolean;
  readonly now: Date;
  /** The context for workflows, once the client that verifies hosts is known. */
  context(
    options: {
      /** Verifies hosts before all others whose keys are here. */
      readonly verifier?: StoredClient;
      readonly reason: string;
      readonly sudoPassword?: Secret;
    } & Partial<RunContext>,
  ): RunContext;
  /** Takes back what this run wrote of the CA and clients, when no host came to use it. Only under the lock it was written under. */
  forget(): Promise<void>;
};

export type SessionOptions = {
  readonly ca: CaSpec;
  readonly passphrase: PassphraseSource;
  readonly noOverlap?: boolean;
  readonly rejectOthers?: boolean;
  /** The store whose lock is held already; default: opened here. */
  readonly store?: Store;
};

/** Reads the store (which changes nothing) and prepares a keyring on it. */
export async function openSession(
  { global, runtime, prompts }: Pick<CommandContext<unknown, unknown>, 'global' | 'runtime' | 'prompts'>,
  options: SessionOptions,
): Promise<Session> {
  const store = options.store ?? storeOf({ global, runtime });
  const state = await store.read();
  const { ca, passphrase, noOverlap = false, rejectOthers = false } = options;
  const now = runtime.now();
  const keyring = openKeyring({ state, ca, passphrase, noOverlap, now });
  let base: Promise<UndoToken> | undefined;
  return {
    store,
    state,
    keyring,
    rejectOthers,
    now,
    context: ({ verifier, reason, ...more }) => ({
      runtime,
      store,
      state,
      keyring,
      known: knownHosts(state),
      verifiers: [...(verifier ? [verifier] : []), ...usableClients(state, keyring.change())],
      reason,
      rejectOthers,
      // Only a fleet file says which fixes there are not.
      addHardening: global.file === undefined,
      ...(prompts.ssh ? { ask: prompts.ssh } : {}),
      saveBase: async () => {
        const change = keyring.change();
        if (
          change.ca === undefined &&
          Object.keys(change.clients ?? {}).length === 0 &&
          Object.keys(change.issuers ?? {}).length === 0
        )
          return;
        base ??= store.withLock(`docker-tls ${reason}`, async () => {
          if (change.ca !== undefined && !change.retireCa) refuseOtherCa(await store.read(), store.home);
          const token = await store.write(change);
          keyring.written();
          return token;
        });
        await base;
      },
      ...more,
    }),
    forget: async () => {
      if (base !== undefined) await (await base).undo();
      base = undefined;
    },
  };
}

/** A new map for each run: what it sets up is added. */
export function knownHosts({ hosts }: StoreState): KnownHosts {
  return new Map([...hosts].map(([name, { serverCert }]) => [name, serverCert]));
}

/** Two first runs at the same moment: the CA of the one that comes later must not take the place of the other's. */
function refuseOtherCa(state: StoreState, home: string): void {
  if (state.ca === undefined) return;
  throw new DockerTlsError({
    code: 'E_STORE_CHANGED',
    exit: 5,
    where: home,
    message: 'another run has made a CA here in the meantime',
    hints: ['run the same command again: it uses that CA'],
  });
}

/** Clients of this store's CA that this computer can be, as this run leaves them. */
export function usableClients(state: StoreState, change: StoreChange = {}): StoredClient[] {
  const clients = new Map<string, StoredClient>([...state.clients, ...Object.entries(change.clients ?? {})]);
  return [...clients.values()].filter(
    ({ key, record }) => key !== undefined && record.revokedAt === undefined && record.reaches === undefined,
  );
}

/** The client that verifies hosts from here: the one asked for, this computer's own, one with a key in the store, or a new one. */
export async function verifierFor(
  session: Session,
  wanted: ClientSpec,
  requested: boolean,
): Promise<StoredClient & { fresh: boolean }> {
  const usable = usableClients(session.state, session.keyring.change());
  const own = ownOf(usable);
  if (!requested && own !== undefined) return { ...own, fresh: false };
  if (!requested && !session.state.clients.has(wanted.name) && usable[0] !== undefined)
    return { ...usable[0], fresh: false };
  return session.keyring.client(wanted);
}
