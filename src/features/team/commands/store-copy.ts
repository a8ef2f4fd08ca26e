/** `store copy --to`: a whole store into another one. */

import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import type { ActionContext } from '../../../core/actions/action-context.ts';
import { storeOptions } from '../../../core/actions/open-store.ts';
import type { StoreState } from '../../../core/adapters/store/records.ts';
import { openStore } from '../../../core/adapters/store/store.ts';
import {
  createFile,
  flush,
  makeDirectories,
  makeDirectory,
  writeFailure,
} from '../../../core/adapters/store/store-files.ts';
import { nameProblem } from '../../../core/domain/names.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import { storeSettings } from '../../../core/domain/store-settings.ts';
import { plural } from '../../../core/domain/words.ts';
import { readNamedFileSync, whyNotRead } from '../../../core/named-file.ts';
import { userName } from '../../../core/user.ts';
import { asWritten, DockerTlsError, usage } from '../../../errors/errors.ts';
import { consentOf } from '../actions/consent.ts';
import { teamOf, wholeState } from '../actions/team-session.ts';
import { firstKeys, operatorsOfCopy } from '../store/admin.ts';
import { openTeamSession } from '../store/open-team-store.ts';
import type { Session } from '../store/session.ts';
import { teamStore } from '../store/team-store.ts';
import { changeOf, sameContents } from '../store/whole.ts';

export type StoreCopyDocument = {
  readonly from: string;
  readonly to: string;
  /** How many there are. */
  readonly hosts: number;
  readonly clients: number;
  /** The --home directory for a new shared store. */
  readonly home?: string;
  readonly dryRun?: true;
};

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'The old store does not change. The files of a shared store on this computer, such as docker contexts, are written to the directory of --home with .team added: the output has the two commands that put it in place.\nA directory holds private keys in clear, as the default store does; for a backup see store export.',
  examples: [
    'docker-tls store copy --to git+ssh://git@git.example.org/ops/docker-tls.git',
    'docker-tls store copy --to /srv/docker-tls',
  ],
  args: {},
  options: { to: { kind: 'text', value: 'URL|DIR', summary: 'where to; nothing may be stored there yet' } },
  async run({ options, global, ...context }): Promise<CommandResult<StoreCopyDocument>> {
    const { runtime } = context;
    if (options.to === undefined)
      throw usage('--to is missing', ['docker-tls store copy --to git+ssh://git@HOST/PATH.git']);
    const done = await copyStore({ ...context, global }, options.to);
    const { from, to, home, hosts, clients } = done;
    const what = `${plural(hosts, 'host')} and ${plural(clients, 'client')}`;
    const before = shellQuote(`${global.home}.before`);
    const next =
      home === undefined
        ? [asWritten(`${runtime.program} --home ${shellQuote(to)} status`)]
        : [
            `mv ${shellQuote(global.home)} ${before} && mv ${shellQuote(home)} ${shellQuote(global.home)}`,
            'docker-tls status',
            // Hosts refuse another store than the one that they have seen.
            ...(/^[a-z+]+:\/\//.test(from) && hosts > 0 ? ['docker-tls apply --take-over'] : []),
          ];
    const result = { from, to, hosts, clients, home };
    if (global.dryRun)
      return { exit: 0, result: { ...result, dryRun: true }, text: `would copy ${what} from ${from} to ${to}` };
    return { exit: 0, result, text: `copied ${what} from ${from} to ${to}, read it there again: the same`, next };
  },
});

type CopiedStore = {
  readonly from: string;
  readonly to: string;
  readonly hosts: number;
  readonly clients: number;
  /** The --home directory for the new store; undefined if the store is a directory. */
  readonly home?: string;
};

/**
 * Copies everything into an empty store, reads it back and compares. The old store stays unchanged. Fails with E_STORE_OTHER (exit 2) if
 * the target is not empty, and like both stores.
 */
async function copyStore(context: ActionContext, to: string): Promise<CopiedStore> {
  const { global, runtime } = context;
  const state = await wholeState(context);
  const from = teamOf(context)?.url ?? global.home;
  const shared = /^[a-z+]+:\/\//.test(to);
  const home = shared ? `${global.home}.team` : resolve(runtime.cwd, to);
  const sizes = { hosts: state.hosts.size, clients: state.clients.size };
  const done = { from, to: shared ? to : home, ...sizes, home: shared ? home : undefined };
  if (home === global.home || existsSync(home)) throw taken(home, shared ? asideHint(home) : OTHER_HINT);
  // Before anything is written: a shared store would be taken afterwards.
  const requests = readRequests(global.home);
  try {
    const session = shared ? (openTeamSession({ ...storeOptions(context), home, url: to }) as Session) : undefined;
    if (session !== undefined && !(await session.snapshotIsEmpty())) throw taken(to, ...useHints(context, to));
    if (!global.dryRun) await copyInto(context, state, requests, { home, session });
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
  requests: readonly RequestFile[],
  { home, session }: { readonly home: string; readonly session: Session | undefined },
): Promise<void> {
  const target = session === undefined ? openStore(home) : teamStore(session, await operatorsAndKeys(context, session));
  await target.withLock('docker-tls store copy', async () => {
    const consent = consentOf(context);
    // In a directory the store would count as configured on this machine.
    for (const { record = {} } of [state.ca, ...state.oldCas].flatMap((ca) => ca ?? [])) {
      const settings = storeSettings(record);
      if (settings === undefined) continue;
      await consent.signer(record);
      await target.accept(settings.id);
    }
    // In the copy they count as this user's own.
    for (const [host, { record }] of state.hosts) await consent.way({ ...record.ssh, host });
    // Another run may have written since the check.
    if (session !== undefined && (await target.exists())) throw taken(session.url, ...useHints(context, session.url));
    // Operators and contents in one commit, so a later reader finds a complete copy.
    await target.write(changeOf(state));
  });
  await writeRequests(home, requests);
  if (!sameContents(state, await target.read())) throw new Error('the copy does not read as the store that was copied');
}

/** A file of a client's pending request. */
type RequestFile = { readonly name: string; readonly file: string; readonly bytes: Secret };

/**
 * Pending requests of clients, with their keys: they are not part of a store's state. A file beside them, or a link, is none. Fails with
 * E_FILE (exit 2).
 */
function readRequests(home: string): RequestFile[] {
  const requests = join(home, 'requests');
  if (!lstatSync(requests, { throwIfNoEntry: false })?.isDirectory()) return [];
  return namesIn(requests, 'isDirectory').flatMap((name) =>
    namesIn(join(requests, name), 'isFile').map((file) => {
      const path = join(requests, name, file);
      return { name, file, bytes: new Secret(readOrFail(path, readNamedFileSync)) };
    }),
  );
}

async function writeRequests(home: string, files: readonly RequestFile[]): Promise<void> {
  const copy = join(home, 'requests');
  if (files.length === 0) return;
  try {
    makeDirectories(home);
    makeDirectory(copy);
    const directories = [...new Set(files.map(({ name }) => join(copy, name)))];
    for (const directory of directories) makeDirectory(directory);
    for (const { name, file, bytes } of files) createFile(join(copy, name, file), { kind: 'key', bytes });
    await flush([copy, ...directories, ...files.map(({ name, file }) => join(copy, name, file))]);
  } catch (error) {
    throw writeFailure(home, error);
  }
}

function readOrFail<T>(path: string, read: (path: string) => T): T {
  try {
    return read(path);
  } catch (cause) {
    const hints = [`ls -ld ${shellQuote(path)}`];
    throw new DockerTlsError('E_FILE', `${path} cannot be read: ${whyNotRead(cause)}`, { hints, cause });
  }
}

function namesIn(directory: string, is: 'isDirectory' | 'isFile'): string[] {
  return readOrFail(directory, (path) => readdirSync(path, { withFileTypes: true }))
    .filter((entry) => entry[is]() && nameProblem(entry.name) === undefined)
    .map(({ name }) => name)
    .sort();
}

/** Operators of the old store; for a directory, the copying user. New keys, encrypted for that user. */
async function operatorsAndKeys(context: ActionContext, session: Session) {
  const known = (await teamOf(context)?.read())?.operators ?? [];
  const operators = await operatorsOfCopy(session, known, userName().replace(/[^A-Za-z0-9._@+-]/g, '-'));
  return { operators, ...(await firstKeys(session, operators)) };
}

const OTHER_HINT = 'docker-tls store copy --to OTHER';

/** Hint about the --home directory of a shared target store. */
function asideHint(home: string): string {
  return `of a copy from before; set it aside: mv ${shellQuote(home)} ${shellQuote(`${home}.before`)}`;
}

/** An interrupted copy exists completely, or not at all. */
function useHints({ global }: ActionContext, url: string): readonly string[] {
  const there = `--home ${shellQuote(`${global.home}.team`)} --store ${shellQuote(url)}`;
  return [`if an interrupted copy stored it, it is whole: docker-tls ${there} status`, OTHER_HINT];
}

function taken(where: string, ...hints: readonly string[]): DockerTlsError {
  const what = 'something is stored there already, and a copy does not go over it';
  return new DockerTlsError('E_STORE_OTHER', what, { where, hints });
}
