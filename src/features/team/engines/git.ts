/**
 * git engine: a branch of a repository that the system's git can reach. A commit is pushed on top of the last read; the server rejects a
 * push that is not a fast-forward, so a push is the store's compare-and-set. The local cache is a bare repository without a working tree,
 * with the server's sealed content.
 */

import { randomUUID } from 'node:crypto';
import { rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { makeDirectories, present, textIfThere } from '../../../core/adapters/store/store-files.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { maskPasswords } from '../../../core/domain/secret.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import type { Commit, Listing, Snapshot, StoreEngine } from './engine.ts';
import { changed, tooLong, unknownEnding } from './engine-refusals.ts';
import { type Git, GitFailure, gitIn } from './git-command.ts';
import { entryOf, LOG_FORMAT } from './git-log.ts';
import { gitPast } from './git-past.ts';
import { gitReader } from './git-reader.ts';
import { gitUnreachable, incomplete, notAccepted } from './git-refusals.ts';

export type GitEngineOptions = {
  /** As given: `git+ssh://…`. */
  readonly url: string;
  /** For git: `ssh://…`. */
  readonly remote: string;
  readonly branch: string;
  /** Bare repository of the cache. */
  readonly cache: string;
  readonly listing: Listing;
  readonly signal?: AbortSignal | undefined;
  /** Completes before git starts. */
  readonly before?: (() => Promise<void>) | undefined;
  /** Per git call; default: 120 s. */
  readonly timeoutMs?: number;
};

const PUSHES = 4;
const GRACE_MS = 3000;
/** Messages are unverified, and so of any size. */
const LONGEST_LOG = 64 * 1024 * 1024;

export function gitEngine({
  url,
  remote,
  branch,
  cache,
  listing,
  signal,
  before,
  timeoutMs,
}: GitEngineOptions): StoreEngine {
  /** A run that has begun to store must determine the result: its git calls get a grace period after the signal. */
  let begun = false;
  const run = gitIn(cache, { timeoutMs, signal, graceMs: () => (begun ? GRACE_MS : 0) });
  const git: Git = async (...call) => {
    await before?.();
    return run(...call);
  };
  const { has, snapshot, contains, firstFiles, ancestry } = gitReader(git, url, listing);
  const ref = `refs/heads/${branch}`;
  const fetched = join(cache, 'docker-tls-fetched');
  const from = `${remote} ${branch}\n`;
  let prepared: Promise<void> | undefined;
  let identity: ReturnType<typeof identityOf> | undefined;

  async function prepare(): Promise<void> {
    if (present(join(cache, 'HEAD'))) return;
    makeDirectories(cache);
    // Without hooks, which would never run, and the other files of a template.
    await git(['init', '-q', '--bare', '--template=', cache]);
  }

  function ready(): Promise<void> {
    prepared ??= prepare();
    return prepared;
  }

  /** Head of the branch at the server; '' if it does not exist yet. Fails with E_STORE_UNREACHABLE. */
  async function remoteHead(): Promise<string> {
    await ready();
    try {
      const { stdout } = await git(['ls-remote', '--quiet', '--exit-code', remote, ref], { answers: [2] });
      return /^[0-9a-f]{40,64}/.exec(stdout.toString('latin1'))?.[0] ?? '';
    } catch (error) {
      throw gitUnreachable(url, remote, error);
    }
  }

  /** Fetches the head, and records that the server was reached. */
  async function fetchHead(): Promise<string> {
    for (let attempt = 1; ; attempt++) {
      const head = await remoteHead();
      if (head !== '' && !(await has(head))) {
        await git(['fetch', '--quiet', '--no-tags', '--no-write-fetch-head', remote, ref]).catch((error) => {
          throw incomplete(url, remote, error);
        });
        // Another operator may have replaced the branch between the two requests.
        if (!(await has(head)) && attempt < 3) continue;
      }
      await remember(head);
      return head;
    }
  }

  async function remember(head: string): Promise<void> {
    // A ref, so that git keeps the commit. If another run is writing the same ref, the next run sets it.
    if (head !== '') await git(['update-ref', ref, head]).catch(() => undefined);
    writeFileSync(fetched, from + head, { mode: 0o600 });
    utimesSync(fetched, new Date(), new Date());
  }

  /** The last fetched commit of this store: the directory may have been used with another address since. */
  function lastFetched(): string | undefined {
    const text = textIfThere(fetched);
    return text?.startsWith(from) ? text.slice(from.length) : undefined;
  }

  async function read(): Promise<Snapshot> {
    try {
      return await snapshot(await fetchHead());
    } catch (cause) {
      if (!(cause instanceof DockerTlsError) || cause.code !== 'E_STORE_UNREACHABLE') throw cause;
      // Ctrl-C also reaches git: the server is not down.
      signal?.throwIfAborted();
      const head = lastFetched();
      if (head === undefined || !(await has(head))) throw cause;
      const last = await snapshot(head);
      return { ...last, offline: { fetchedAt: statSync(fetched).mtime, cause } };
    }
  }

  /** Creates a local commit on top of `parent` with these changes. */
  async function makeCommit(parent: string, { put, remove, message, regained }: Commit): Promise<string> {
    const parts = [...put.values()].flatMap((bytes, index) => [
      Buffer.from(`blob\nmark :${index + 1}\ndata ${bytes.length}\n`),
      bytes,
      Buffer.from(`\nget-mark :${index + 1}\n`),
    ]);
    const made = await git(['fast-import', '--quiet', '--done'], {
      input: Buffer.concat([...parts, Buffer.from('done\n')]),
    });
    const hashes = made.stdout.toString('latin1').split('\n');
    const index = join(cache, `index-${randomUUID()}`);
    const env = { GIT_INDEX_FILE: index };
    try {
      if (parent !== '' && regained === undefined) await git(['read-tree', parent], { env });
      const zero = '0'.repeat(hashes[0]?.length || 40);
      const lines = [
        ...remove.map((path) => `0 ${zero}\t${path}\0`),
        ...[...put.keys()].map((path, at) => `100644 ${hashes[at]}\t${path}\0`),
      ];
      await git(['update-index', '-z', '--index-info'], { env, input: lines.join('') });
      const tree = (await git(['write-tree'], { env })).stdout.toString('latin1').trim();
      // A restored revision is the first parent: the history of the replaced commits is unverified.
      return await commitTree(tree, [regained ?? '', parent], message);
    } finally {
      rmSync(index, { force: true });
    }
  }

  /** The user's git signing setting, and the author of commits. */
  async function identityOf(
    who: string,
  ): Promise<{ readonly sign: string[]; readonly author: Record<string, string> }> {
    const signs = await git(['config', '--type=bool', '--get', 'commit.gpgsign'], { answers: [1, 128] });
    const known = await git(['config', '--get', 'user.email'], { answers: [1] });
    return {
      sign: signs.stdout.toString('latin1').trim() === 'true' ? ['-S'] : [],
      author: known.status === 0 ? {} : authorOf(who),
    };
  }

  async function commitTree(
    tree: string,
    before: readonly string[],
    { who, subject, lines }: Commit['message'],
  ): Promise<string> {
    identity ??= identityOf(who);
    const { sign, author } = await identity;
    const text = [subject, '', ...lines.map((line) => `- ${line}`), '', `By: ${who}`, ''].join('\n');
    const parents = before.flatMap((revision) => (revision === '' ? [] : ['-p', revision]));
    const made = await git(['commit-tree', ...sign, ...parents, '-F', '-', tree], { input: text, env: author }).catch(
      (error: unknown) => {
        throw new DockerTlsError(
          'E_STORE_WRITE',
          `git made no commit: ${error instanceof GitFailure ? error.message : error}`,
          {
            where: url,
            hints:
              sign.length > 0 ? ['git config --show-origin --get-regexp "commit.gpgsign|user.signingkey|gpg.*"'] : [],
            cause: error,
          },
        );
      },
    );
    return made.stdout.toString('latin1').trim();
  }

  /**
   * The branch decides, whatever the push reported: it contains our commit, has moved, or is unchanged. Only an unchanged branch means a
   * retry: from this side, a broken connection and two simultaneous pushes look the same.
   */
  async function push(expected: string, ours: string): Promise<void> {
    for (let attempt = 1; ; attempt++) {
      const pushed = await git(['push', '--quiet', '--no-verify', remote, `${ours}:${ref}`]).catch(
        (error: unknown) => error,
      );
      if (!(pushed instanceof Error)) return;
      const reason = pushed.message;
      const head = await fetchHead().catch((error: unknown) => {
        if (!(error instanceof DockerTlsError)) throw error;
        throw unknownEnding(url, maskPasswords(reason), error.hints, error);
      });
      if (head === ours || (head !== '' && (await contains(head, ours)) === true)) return;
      if (head !== expected) throw changed(url);
      // A slow server may still accept it.
      const refusal = notAccepted(url, remote, reason);
      if (pushed instanceof GitFailure && pushed.late)
        throw unknownEnding(url, maskPasswords(reason), refusal.hints, refusal);
      if (attempt >= PUSHES) throw refusal;
      await new Promise((resolve) => setTimeout(resolve, 150 * attempt * (0.5 + Math.random())));
    }
  }

  return {
    url,
    read,
    contains,
    ancestry,
    past: gitPast(git, listing),
    comparison: (one, other) =>
      `git --git-dir=${shellQuote(cache)} log --graph --format='%h %ad %an: %s' ${one} ${other}`,

    async at(revision) {
      await ready();
      return /^[0-9a-f]{40,64}$/.test(revision) && (await has(revision)) ? snapshot(revision) : undefined;
    },

    async commit(expected, commit) {
      await ready();
      begun = true;
      const ours = await makeCommit(expected.revision, commit);
      await push(expected.revision, ours);
      // The commit is stored: without local disk space, the next read fetches it.
      await remember(ours).catch(() => undefined);
      return snapshot(ours);
    },

    async requireWritable() {
      const head = await fetchHead();
      if (head === '') return;
      await git(['push', '--quiet', '--no-verify', '--dry-run', remote, `${head}:${ref}`]).catch((error) => {
        throw error instanceof GitFailure ? notAccepted(url, remote, error.message) : error;
      });
    },

    async log(revision, limit, alone = false) {
      await ready();
      if (revision === '') return [];
      const some = [`--max-count=${limit}`, ...(alone ? ['--first-parent'] : [])];
      const { stdout } = await git(['log', '-z', '--no-show-signature', ...some, `--format=${LOG_FORMAT}`, revision], {
        most: LONGEST_LOG,
      });
      if (stdout.length >= LONGEST_LOG) throw tooLong(url);
      const texts = stdout.toString('utf8').split('\0');
      const entries = texts.filter((text) => text.trim() !== '').map(entryOf);
      const signed = await firstFiles(entries.map((entry) => entry.revision));
      return entries.map((entry, at) => ({ ...entry, signed: signed[at] }));
    },
  };
}

/** If git has no name for the user: the login name and the machine. */
function authorOf(who: string): Record<string, string> {
  const name = who.split('@')[0] || 'docker-tls';
  return { GIT_AUTHOR_NAME: name, GIT_AUTHOR_EMAIL: who, GIT_COMMITTER_NAME: name, GIT_COMMITTER_EMAIL: who };
}
