/** The lock between runs: one file, created complete by a hard link, that names the holder and its start time. */

import { randomUUID } from 'node:crypto';
import { readFileSync, unlinkSync } from 'node:fs';
import { link, readFile, rename, rm } from 'node:fs/promises';
import { hostname } from 'node:os';
import { join } from 'node:path';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { userName } from '../../user.ts';
import { createFile, makeDirectories, removeIfEmpty } from './store-files.ts';

type Holder = {
  readonly token: string;
  readonly who: string;
  readonly pid: number;
  readonly host: string;
  readonly user: string;
  readonly since: string;
  /** The process's start time in kernel ticks: another process may get the same number later. */
  readonly began?: string;
};

export type Lock = { release(): Promise<void> };

const RETRY_MS = 40;

/**
 * Takes the lock, if necessary from a dead process of this machine; waits up to `retryMs` for a live one. Creates the directory, and
 * removes it on release if it stayed empty. Fails with E_STORE_LOCKED (exit 4).
 */
export async function takeLock(home: string, who: string, since: Date, retryMs = 0): Promise<Lock> {
  const until = performance.now() + retryMs;
  for (;;) {
    try {
      return await tryLock(home, who, since);
    } catch (error) {
      const held = error instanceof DockerTlsError && error.code === 'E_STORE_LOCKED';
      if (!held || performance.now() >= until) throw error;
      // With jitter: several runs may be waiting.
      await new Promise((resolve) => setTimeout(resolve, RETRY_MS * (0.5 + Math.random())));
    }
  }
}

async function tryLock(home: string, who: string, since: Date): Promise<Lock> {
  const made = new Set<string>();
  const path = join(home, 'lock');
  const mine: Holder = {
    token: randomUUID(),
    who,
    pid: process.pid,
    host: hostname(),
    user: userName(),
    since: since.toISOString(),
    began: processBegan(process.pid),
  };
  const draft = join(home, `.lock-${mine.token}`);
  try {
    // Others may remove the directory or our draft between two steps (end of their run, sweeping): then start again.
    for (let attempt = 0; attempt < 100; attempt++) {
      for (const directory of makeDirectories(home)) made.add(directory);
      try {
        createFile(draft, { kind: 'record', bytes: `${JSON.stringify(mine)}\n` });
        if (await claim(home, path, draft)) return held(path, mine, [...made]);
      } catch (error) {
        if (errnoOf(error) !== 'ENOENT') throw error;
      } finally {
        await rm(draft, { force: true });
      }
    }
    throw new Error(`the lock ${path} changed hands a hundred times`);
  } catch (error) {
    takeAway([...made]);
    throw error;
  }
}

/** True: we own it. False: it changed during the check, try again. */
async function claim(home: string, path: string, draft: string): Promise<boolean> {
  try {
    await link(draft, path);
    return true;
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
  }
  const holder = await readHolder(path);
  if (holder === undefined) return false;
  if (holder === 'unreadable' || !isDead(holder)) throw locked(path, holder);

  // Only one run may replace the lock of a dead holder: the one that created the file named after that holder's token.
  const right = join(home, `.lock-of-${holder.token}`);
  try {
    await link(draft, right);
  } catch (error) {
    if (errnoOf(error) !== 'EEXIST') throw error;
    const rival = await readHolder(right);
    if (rival !== undefined && (rival === 'unreadable' || isDead(rival))) throw locked(path, holder, right);
    await new Promise((resolve) => setTimeout(resolve, 20));
    return false;
  }
  try {
    const now = await readHolder(path);
    if (now === undefined || now === 'unreadable' || now.token !== holder.token) return false;
    await rename(draft, path);
    return true;
  } finally {
    await rm(right, { force: true });
  }
}

function held(path: string, mine: Holder, made: readonly string[]): Lock {
  function unlock(): void {
    try {
      // The user may have removed the file, and another run taken the lock: its file stays.
      if ((JSON.parse(readFileSync(path, 'utf8')) as Holder).token === mine.token) unlinkSync(path);
    } catch (error) {
      if (errnoOf(error) !== 'ENOENT' && !(error instanceof SyntaxError)) throw error;
    }
  }
  process.once('exit', unlock);
  return {
    async release() {
      process.removeListener('exit', unlock);
      unlock();
      takeAway(made);
    },
  };
}

function takeAway(made: readonly string[]): void {
  for (const directory of made.toReversed()) removeIfEmpty(directory);
}

async function readHolder(path: string): Promise<Holder | 'unreadable' | undefined> {
  try {
    const value = JSON.parse(await readFile(path, 'utf8')) as Partial<Holder> | null;
    const whole =
      typeof value?.pid === 'number' &&
      [value.token, value.who, value.host, value.user, value.since].every((each) => typeof each === 'string');
    return whole && /^[0-9a-f-]{36}$/.test((value as Holder).token) ? (value as Holder) : 'unreadable';
  } catch (error) {
    return errnoOf(error) === 'ENOENT' ? undefined : 'unreadable';
  }
}

function isDead(holder: Holder): boolean {
  if (holder.host !== hostname()) return false;
  try {
    process.kill(holder.pid, 0);
  } catch (error) {
    return errnoOf(error) === 'ESRCH';
  }
  return holder.began !== undefined && processBegan(holder.pid) !== holder.began;
}

/** proc_pid_stat(5), field 22; undefined without /proc. */
function processBegan(pid: number): string | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, 'utf8');
    return stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];
  } catch {
    return undefined;
  }
}

function locked(path: string, holder: Holder | 'unreadable', leftover?: string): DockerTlsError {
  const files = [path, ...(leftover === undefined ? [] : [leftover])].map(shellQuote).join(' ');
  return new DockerTlsError(
    'E_STORE_LOCKED',
    holder === 'unreadable'
      ? 'another run holds the store, and its lock does not name it'
      : `the store is held by "${holder.who}" of ${holder.user} on ${holder.host} (process ${holder.pid}) since ${holder.since}`,
    { where: path, hints: ['wait until that run has ended and try again', `if that run has died: rm ${files}`] },
  );
}
