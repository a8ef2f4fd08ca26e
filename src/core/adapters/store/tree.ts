/**
 * Read-only view of the store's directories: through an unfinished change, never through a link, with owner and modes of each entry
 * checked. Synchronous, to keep reads short.
 */

import {
  closeSync,
  constants,
  type Dirent,
  existsSync,
  fstatSync,
  lstatSync,
  openSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  type Stats,
  statSync,
} from 'node:fs';
import { join } from 'node:path';
import { errnoOf } from '../../../errors/errors.ts';
import { nameProblem } from '../../domain/names.ts';
import { shellQuote } from '../../domain/quote.ts';
import { Secret } from '../../domain/secret.ts';
import { whyNotRead } from '../../named-file.ts';
import { type OpenJournal, openJournal } from './journal.ts';
import type { FileKind } from './modes.ts';
import { certificateProblem, type ParseResult } from './parse-records.ts';
import { collectProblems, type Problems } from './problems.ts';
import { inside, nearestPresent } from './store-files.ts';
import { keyProblem } from './store-pem.ts';

/** Far more than any file of a store, to avoid reading a disk image. */
const LARGEST_FILE = 1024 * 1024;

/** The files of one directory, or one file if the name is ''. Undefined: missing, or wrong (and noted). */
export type DirectoryFiles = {
  text<T>(name: string, need: boolean, parse: (text: string) => ParseResult<T>): T | undefined;
  certificate(name: string, need: boolean): string | undefined;
  key(name: string): Secret | undefined;
};

/** A store's directories. Paths are relative with `/`, as in a journal. */
export type Tree = {
  readonly problems: Problems;
  /** The present location of a file or directory, as if an unfinished change were complete. Undefined: nowhere. */
  locate(path: string): string | undefined;
  /** Notes problems of a directory itself, by its path in the store or by its location. */
  checkDirectory(path: string): void;
  checkDirectoryAt(at: string): void;
  /** The names in a collection (`hosts`), in order. */
  list(collection: string): string[];
  /** `at` is absolute, `fix` the advice for damage. */
  files(at: string, fix: readonly string[]): DirectoryFiles;
  /** The command that moves something damaged aside. */
  aside(at: string): string[];
};

/** The tree at `home`, or undefined without one. Fails with E_STORE_MODES or E_STORE_DAMAGED. */
export function openTree(home: string): Tree | undefined {
  const problems = collectProblems(home);
  try {
    // The outermost directory may be reached through a link (a home directory, dotfiles); nothing below it may.
    const stats = statSync(home);
    if (!stats.isDirectory()) problems.damage(home, 'is not a directory', [`ls -ld ${shellQuote(home)}`]);
    problems.check(home, stats, 'directory');
    problems.refuse();
    const journal = openJournal(home);
    if (journal !== undefined) problems.check(journal.directory, lstatSync(journal.directory), 'directory');
    return makeTree(home, journal, problems);
  } catch (error) {
    if (errnoOf(error) === 'ENOENT') {
      // With a dangling link, for instance to a disk that is not mounted, nothing would be found and a second store started.
      const link = nearestPresent(home);
      if (!lstatSync(link).isSymbolicLink() || existsSync(link)) return undefined;
      const hints = [
        `ls -l ${shellQuote(link)}`,
        'mount the disk that it is on, or choose another directory with --home',
      ];
      problems.damage(link, `leads to ${readlinkSync(link)}, which does not exist`, hints);
    } else if (errnoOf(error) === 'ELOOP')
      problems.damage(home, `cannot be entered: ${whyNotRead(error)}`, [`ls -ld ${shellQuote(home)}`]);
    else if (errnoOf(error) === 'ENOTDIR') problems.damage(home, 'is not a directory', [`ls -ld ${shellQuote(home)}`]);
    else if (errnoOf(error) === 'EACCES') problems.unreachable(home);
    else throw error;
    problems.refuse();
    throw error;
  }
}

/** Unchanged while the store is unchanged. */
export function treeSignature(home: string): string {
  try {
    const names = readdirSync(home).filter((name) => name.startsWith('.'));
    return `${statSync(home, { bigint: true }).ctimeNs} ${names.sort().join(' ')}`;
  } catch (error) {
    return errnoOf(error) ?? 'unknown';
  }
}

function makeTree(home: string, journal: OpenJournal | undefined, problems: Problems): Tree {
  function locate(path: string): string | undefined {
    const entry = journal?.entries.get(path);
    const at = inside(home, path);
    if (journal !== undefined && entry !== undefined) {
      if (!(journal.direction === 'change' ? entry.put : entry.had)) return undefined;
      const waiting = inside(join(journal.directory, journal.direction === 'change' ? 'new' : 'old'), path);
      if (statOf(waiting) !== undefined) return waiting;
    }
    return statOf(at) === undefined ? undefined : at;
  }

  function statOf(at: string): Stats | undefined {
    try {
      return lstatSync(at);
    } catch (error) {
      if (errnoOf(error) === 'EACCES') problems.unreachable(at);
      else if (errnoOf(error) !== 'ENOENT' && errnoOf(error) !== 'ENOTDIR') throw error;
      return undefined;
    }
  }

  function entriesOf(at: string): Dirent[] {
    const stats = statOf(at);
    if (stats === undefined) return [];
    if (!stats.isDirectory()) {
      problems.damage(at, stats.isSymbolicLink() ? 'is a link, not a directory' : 'is not a directory', aside(at));
      return [];
    }
    problems.check(at, stats, 'directory');
    try {
      return readdirSync(at, { withFileTypes: true });
    } catch (error) {
      if (errnoOf(error) === 'EACCES') problems.unreachable(at);
      else if (errnoOf(error) !== 'ENOENT') throw error;
      return [];
    }
  }

  function aside(at: string): string[] {
    const name = at.slice(home.length + 1).replaceAll(/[\\/]/g, '-');
    return [`mv ${shellQuote(at)} ${shellQuote(join(home, `${name}.damaged`))}`];
  }

  function bytesOf(at: string, kind: FileKind, fix: readonly string[]): Buffer | undefined {
    let fd: number;
    try {
      // Does not follow a link or wait for the other end of a pipe.
      fd = openSync(at, constants.O_RDONLY | (constants.O_NOFOLLOW ?? 0) | (constants.O_NONBLOCK ?? 0));
    } catch (error) {
      const errno = errnoOf(error);
      if (errno === 'ELOOP') problems.damage(at, 'is a link where a file is expected', fix);
      else if (errno === 'EACCES') problems.unreachable(at);
      else if (errno === 'ENXIO') problems.damage(at, 'is not a file', fix);
      else if (errno !== 'ENOENT' && errno !== 'ENOTDIR') throw error;
      return undefined;
    }
    try {
      const stats = fstatSync(fd);
      if (stats.isFile() && stats.size <= LARGEST_FILE) {
        problems.check(at, stats, kind);
        return readFileSync(fd);
      }
      problems.damage(at, stats.isFile() ? 'is far too large' : 'is not a file', fix);
      return undefined;
    } finally {
      closeSync(fd);
    }
  }

  function files(directory: string, fix: readonly string[]): DirectoryFiles {
    return filesBy((name, kind, need, parse) => {
      const at = name === '' ? directory : join(directory, name);
      const bytes = bytesOf(at, kind, fix);
      if (bytes === undefined) {
        if (need && statOf(at) === undefined) problems.damage(at, 'is missing', fix);
        return undefined;
      }
      const parsed = parse(bytes.toString('utf8'));
      if (parsed.ok) return parsed.value;
      problems.damage(at, parsed.problem, fix);
      return undefined;
    });
  }

  return {
    problems,
    locate,
    files,
    aside,

    checkDirectory(path) {
      entriesOf(inside(home, path));
    },

    checkDirectoryAt(at) {
      entriesOf(at);
    },

    list(collection) {
      const names = new Set<string>();
      for (const entry of entriesOf(inside(home, collection))) {
        const at = join(inside(home, collection), entry.name);
        if (entry.isSymbolicLink()) problems.damage(at, 'is a link', aside(at));
        // Skips files that desktops leave behind (.DS_Store, Thumbs.db).
        if (!entry.isDirectory() || entry.name.startsWith('.')) continue;
        const wrong = nameProblem(entry.name);
        if (wrong === undefined) names.add(entry.name);
        else problems.damage(at, `has a name that we do not give: ${wrong}`, aside(at));
      }
      const prefix = `${collection}/`;
      for (const path of journal?.entries.keys() ?? []) {
        if (path.startsWith(prefix) && !path.slice(prefix.length).includes('/')) names.add(path.slice(prefix.length));
      }
      return [...names].filter((name) => locate(prefix + name) !== undefined).sort();
    },
  };
}

type Read = <T>(name: string, kind: FileKind, need: boolean, parse: (text: string) => ParseResult<T>) => T | undefined;

/** Files whose contents `read` reads and validates. */
export function filesBy(read: Read): DirectoryFiles {
  return {
    text: (name, need, parse) => read(name, 'record', need, parse),
    certificate: (name, need) => read(name, 'certificate', need, (text) => verdict(text, certificateProblem(text))),
    key: (name) => read(name, 'key', false, (text) => verdict(new Secret(text), keyProblem(text))),
  };
}

function verdict<T>(value: T, problem: string | undefined): ParseResult<T> {
  return problem === undefined ? { ok: true, value } : { ok: false, problem };
}
