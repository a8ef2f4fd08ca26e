/** Owns `store copy` and `store export`: a whole store into another one, or into one encrypted file. */

import { existsSync, rmSync } from 'node:fs';
import { resolve } from 'node:path';
import { isDeepStrictEqual } from 'node:util';
import { packTar } from '../adapters/docker/tar.ts';
import { changeEntries } from '../adapters/store/change.ts';
import type { FileContent } from '../adapters/store/files.ts';
import { MODES } from '../adapters/store/modes.ts';
import type { StoreChange, StoreState } from '../adapters/store/records.ts';
import { readRequests, writeRequest } from '../adapters/store/requests.ts';
import { openStore, type Store } from '../adapters/store/store.ts';
import { firstKeys, ownRecipient } from '../adapters/store/team/admin.ts';
import { checkRecipient, encryptFor, recipientsOf } from '../adapters/store/team/age.ts';
import { openTeamSession } from '../adapters/store/team/open.ts';
import type { Session } from '../adapters/store/team/session.ts';
import { teamStore } from '../adapters/store/team/store.ts';
import { checkName } from '../domain/names.ts';
import { shellQuote } from '../domain/quote.ts';
import { Secret } from '../domain/secret.ts';
import { DockerTlsError, usage } from '../errors/errors.ts';
import { userName } from '../user.ts';
import type { ActionContext } from './action-context.ts';
import { checkOut, type OutOptions, writeOut } from './files.ts';
import { recipientsIn } from './operators.ts';
import { optionsOf, storeOf } from './store.ts';
import { teamOf } from './team-session.ts';

export type CopiedStore = {
  readonly from: string;
  readonly to: string;
  readonly hosts: number;
  readonly clients: number;
  /** The directory of --home that goes with the new store; undefined where the store is a directory. */
  readonly home?: string;
};

/**
 * Copies everything into a store that is empty, reads it again there and compares. The old store stays as it is. Fails with E_STORE_OTHER
 * (exit 2) where something is stored there already, and as both stores do.
 */
export async function copyStore(context: ActionContext, to: string): Promise<CopiedStore> {
  const { global, runtime } = context;
  const state = await wholeState(context);
  const from = teamOf(context)?.url ?? global.home;
  const shared = /^[a-z+]+:\/\//.test(to);
  const home = shared ? `${global.home}.team` : resolve(runtime.cwd, to);
  const done = {
    from,
    to: shared ? to : home,
    hosts: state.hosts.size,
    clients: state.clients.size,
    home: shared ? home : undefined,
  };
  if (home === global.home || existsSync(home)) throw taken(home, shared ? asideHint(home) : OTHER_HINT);
  try {
    const session = shared ? (openTeamSession({ ...optionsOf(context), home, url: to }) as Session) : undefined;
    if (session !== undefined && !(await session.snapshotIsEmpty())) throw taken(to, ...useHints(context, to));
    if (!global.dryRun) await copyInto(context, state, { home, session });
  } catch (error) {
    rmSync(home, { recursive: true, force: true });
    throw error;
  }
  if (global.dryRun) rmSync(home, { recursive: true, force: true });
  return done;
}

async function copyInto(
  context: ActionContext,
  state: StoreState,
  { home, session }: { readonly home: string; readonly session: Session | undefined },
): Promise<void> {
  const target = session === undefined ? openStore(home) : teamStore(session, await operatorsAndKeys(context, session));
  await target.withLock('docker-tls store copy', async () => {
    // Another run may have been faster since it was found empty.
    if (session !== undefined && (await target.exists())) throw taken(session.url, ...useHints(context, session.url));
    // Operators and contents in one commit: what is found there later is a whole copy.
    await target.write(changeOf(state));
  });
  for (const request of readRequests(context.global.home)) await writeRequest(home, request);
  await requireSame(state, target);
}

/** The operators of the old store; of a directory, the user who copies. New keys, which the user who copies can open. */
async function operatorsAndKeys(context: ActionContext, session: Session) {
  const known = (await teamOf(context)?.read())?.operators ?? [];
  const mine = (await Promise.all(session.identities().map(recipientsOf))).flat();
  const me = known.find(({ ca, recipient }) => ca && mine.includes(recipient));
  const first = me ?? {
    name: checkName('operator', userName().replace(/[^A-Za-z0-9._@+-]/g, '-')),
    recipient: await checkRecipient(await ownRecipient(session)),
    ca: true,
  };
  const addedAt = session.now().toISOString();
  const operators = [first, ...known.filter((one) => one !== me)].map((one) => ({ ...one, addedAt }));
  return { operators, ...(await firstKeys(session, operators)) };
}

async function wholeState(context: ActionContext): Promise<StoreState> {
  const store = storeOf(context);
  if (store.shared) await store.requireWritable();
  return store.read();
}

function changeOf({ ca, oldCas, issuers, hosts, clients }: StoreState): StoreChange {
  return {
    ca,
    oldCas,
    issuers: Object.fromEntries(issuers),
    hosts: Object.fromEntries(hosts),
    clients: Object.fromEntries([...clients].map(([name, { directory: _, ...client }]) => [name, client])),
  };
}

async function requireSame(state: StoreState, target: Store): Promise<void> {
  if (isDeepStrictEqual(plain(changeOf(state)), plain(changeOf(await target.read())))) return;
  throw new Error('the copy does not read as the store that was copied');
}

/** Data with the bytes of keys, to be compared. */
function plain(value: unknown): unknown {
  if (value instanceof Secret) return value.reveal().toString('base64');
  if (Array.isArray(value)) return value.map(plain);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([key, each]) => (each === undefined ? [] : [[key, plain(each)]])),
  );
}

/** One file for a backup: the directory layout as a tar archive, which age encrypts. Resolves to its path. */
export async function exportStore(
  context: ActionContext,
  { recipients, out, replace }: OutOptions & { readonly recipients: readonly string[] },
): Promise<{ readonly file: string | undefined; readonly recipients: number }> {
  const { global, runtime } = context;
  if (out === undefined) throw usage('--out is missing', ['docker-tls store export --out store.tar.age']);
  const file = { runtime, global, out, replace, binary: true };
  checkOut(file, true);
  const state = await wholeState(context);
  const operators =
    (await teamOf(context)?.read())?.operators.filter(({ ca }) => ca).map(({ recipient }) => recipient) ?? [];
  const given = await Promise.all(recipients.map((one) => recipientsIn(one, runtime.cwd)));
  const to = given.length > 0 ? await Promise.all(given.flat().map(checkRecipient)) : operators;
  if (to.length === 0)
    throw usage('--recipient is missing: whose key opens the file', ['--recipient "$(cat ~/.ssh/id_ed25519.pub)"']);
  if (global.dryRun) return { file: undefined, recipients: to.length };
  const before = { fresh: true, ca: () => undefined, names: () => [] };
  const files = changeEntries(before, changeOf(state)).incoming.flatMap(({ path, content }) =>
    'files' in content
      ? Object.entries(content.files).map(([name, one]) => [`${path}/${name}`, one] as const)
      : [[path, content] as const],
  );
  const tar = packTar(
    files.map(([name, one]) => ({ name, data: bytesOf(one), mode: MODES[one.kind] })),
    runtime.now(),
  );
  return { file: await writeOut({ ...file, data: new Secret(await encryptFor(to, tar)) }), recipients: to.length };
}

function bytesOf({ bytes }: FileContent): Buffer {
  return typeof bytes === 'string' ? Buffer.from(bytes) : bytes.reveal();
}

const OTHER_HINT = 'docker-tls store copy --to OTHER';

/** Of the directory that goes with any shared store that is copied to. */
function asideHint(home: string): string {
  return `of a copy from before; set it aside: mv ${shellQuote(home)} ${shellQuote(`${home}.before`)}`;
}

/** A copy that was cut off while it was stored is there whole, or not at all. */
function useHints({ global }: ActionContext, url: string): readonly string[] {
  const there = `--home ${shellQuote(`${global.home}.team`)} --store ${shellQuote(url)}`;
  return [`if an interrupted copy stored it, it is whole: docker-tls ${there} status`, OTHER_HINT];
}

function taken(where: string, ...hints: readonly string[]): DockerTlsError {
  const what = 'something is stored there already, and a copy does not go over it';
  return new DockerTlsError('E_STORE_OTHER', what, { where, hints });
}
