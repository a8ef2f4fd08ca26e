/** Teams for tests: members with their own homes and keys, and a bare repository that they share. */

import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { addOperator } from '../../../../src/features/team/store/admin.ts';
import { openTeamSession } from '../../../../src/features/team/store/open-team-store.ts';
import type { Session } from '../../../../src/features/team/store/session.ts';
import { newHome } from '../../../support/store.ts';

/** A member's machine: an SSH key, the directory of --home, and git's settings. */
export type Member = {
  readonly name: string;
  readonly home: string;
  readonly recipient: string;
  readonly env: Readonly<Record<string, string>>;
  /** Notes so far. */
  readonly notes: readonly string[];
  /** A new run; `signal` stops it. */
  session(now?: () => Date, signal?: AbortSignal): Session;
};

export type Members = { readonly url: string; member(name: string): Member };
export type Team = Members & { readonly repository: string };

/** A bare repository, and members on request. None is an operator yet. */
export function newTeam(query = ''): Team {
  return newTeamAt(newHome(), query);
}

/** The same in a directory of the caller. */
export function newTeamAt(directory: string, query = ''): Team {
  const repository = join(directory, 'store.git');
  mkdirSync(directory, { recursive: true });
  execFileSync('git', ['init', '-q', '--bare', repository]);
  return { repository, ...membersOf(`git+file://${repository}${query}`, directory) };
}

/** Members of a store at any location. */
export function membersOf(url: string, directory = newHome()): Members {
  const members = new Map<string, Member>();
  return {
    url,
    member(name) {
      const known = members.get(name) ?? newMember(join(directory, name), name, url);
      members.set(name, known);
      return known;
    },
  };
}

function newMember(directory: string, name: string, url: string): Member {
  mkdirSync(join(directory, '.ssh'), { recursive: true });
  const key = join(directory, '.ssh', 'id_ed25519');
  execFileSync('ssh-keygen', ['-q', '-t', 'ed25519', '-N', '', '-C', name, '-f', key]);
  const home = join(directory, '.docker', 'tls');
  const env = { HOME: directory, PATH: process.env.PATH ?? '', GIT_CONFIG_NOSYSTEM: '1' };
  const notes: string[] = [];
  const options = { home, url, env, cwd: directory, who: `${name}@laptop`, now: () => new Date() };
  return {
    ...{ name, home, env, notes },
    recipient: readFileSync(`${key}.pub`, 'utf8').trim(),
    session: (now = options.now, signal) =>
      openTeamSession({ ...options, now, signal, note: (text) => notes.push(text) }) as Session,
  };
}

/** Makes the first member an operator, who then adds the others. */
export async function enrol(first: Member, ...others: readonly Member[]): Promise<void> {
  await addOperator(first.session(), { name: first.name, ca: true });
  for (const { name, recipient } of others) await addOperator(first.session(), { name, recipient, ca: true });
}
