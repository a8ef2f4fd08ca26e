/** Problems found while reading a store: collected, so that the user can fix all at once, with the commands to paste. */

import { lstatSync, type Stats } from 'node:fs';
import { dirname } from 'node:path';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { shellQuote } from '../../domain/quote.ts';
import { type FileKind, isForeign, MODES, openTo } from './modes.ts';

export type Problems = {
  /** Notes a wrong owner, or a mode that gives access to others. */
  check(path: string, stats: Stats, kind: FileKind | 'directory'): void;
  /** Notes that `path` `what`, and the fix. */
  damage(path: string, what: string, hints: readonly string[]): void;
  /** Notes a path without access: it, or a directory above it, belongs to another user or lost its modes. */
  unreachable(path: string): void;
  /** Throws the noted problems: E_STORE_MODES first, because contents that others could change are not reliable, else E_STORE_DAMAGED. */
  refuse(): void;
};

type ModeProblem = { readonly path: string; readonly what: string; readonly command: string };
type Damage = { readonly path: string; readonly what: string; readonly hints: readonly string[] };

/** An empty collection for the store at `home`. */
export function collectProblems(home: string): Problems {
  const owner = process.geteuid?.();
  const modes: ModeProblem[] = [];
  const damages: Damage[] = [];

  function check(path: string, stats: Stats, kind: FileKind | 'directory'): void {
    if (isForeign(stats)) {
      modes.push({ path, what: `belongs to user ${stats.uid}, not to you (${owner})`, command: `sudo chown ${owner}` });
    }
    const open = openTo(stats, kind);
    if (open === undefined) return;
    const mode = (stats.mode & 0o7777).toString(8).padStart(4, '0');
    const what = `can be ${open} by others (mode ${mode})`;
    modes.push({ path, what, command: `chmod 0${MODES[kind].toString(8)}` });
  }

  return {
    check,

    damage(path, what, hints) {
      damages.push({ path, what, hints });
    },

    unreachable(path) {
      const closed = firstVisible(path);
      if (closed === undefined) return;
      const foreign = isForeign(closed.stats);
      modes.push({
        path: closed.path,
        what: foreign ? `belongs to user ${closed.stats.uid}, not to you (${owner})` : 'is closed to you',
        command: foreign ? `sudo chown ${owner}` : 'chmod u+rX',
      });
    },

    refuse() {
      if (modes.length > 0) {
        throw storeProblems('E_STORE_MODES', home, modes.map(wordsOf), 'not yours alone', commands(modes));
      }
      if (damages.length > 0) {
        const hints = [...new Set(damages.flatMap(({ hints }) => hints))];
        throw storeProblems('E_STORE_DAMAGED', home, damages.map(wordsOf), 'damaged', hints);
      }
    },
  };
}

function wordsOf({ path, what }: ModeProblem | Damage): string {
  return `${path} ${what}`;
}

/** A single problem in its own words; of several, their number with `state`, and their words below. */
export function storeProblems(
  code: ErrorCode,
  where: string,
  problems: readonly string[],
  state: string,
  hints: readonly string[],
): DockerTlsError {
  const lines = [...new Set(problems)];
  const [first = ''] = lines;
  return lines.length === 1
    ? new DockerTlsError(code, first, { where, hints })
    : new DockerTlsError(code, `${lines.length} things in the store are ${state}`, { where, hints, details: lines });
}

/** The path itself, or the directory above it that blocks access. Undefined: it has gone since. */
function firstVisible(path: string): { path: string; stats: Stats } | undefined {
  try {
    return { path, stats: lstatSync(path) };
  } catch (error) {
    return errnoOf(error) === 'EACCES' && dirname(path) !== path ? firstVisible(dirname(path)) : undefined;
  }
}

/** Long command lines do not paste well. */
const PATHS_IN_A_COMMAND = 20;

/** One command for all paths with the same problem. */
function commands(modes: readonly ModeProblem[]): string[] {
  const byCommand = new Map<string, Set<string>>();
  for (const { path, command } of modes) byCommand.set(command, (byCommand.get(command) ?? new Set()).add(path));
  // The owner comes before the modes: only the owner may set them.
  const sorted = [...byCommand].sort(([a], [b]) => Number(b.startsWith('sudo')) - Number(a.startsWith('sudo')));
  return sorted.flatMap(([command, paths]) => {
    const words = [...paths].map(shellQuote);
    const pieces: string[] = [];
    for (let from = 0; from < words.length; from += PATHS_IN_A_COMMAND) {
      pieces.push(`${command} ${words.slice(from, from + PATHS_IN_A_COMMAND).join(' ')}`);
    }
    return pieces;
  });
}
