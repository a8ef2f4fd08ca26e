/** The modules of host scripts, and their needs. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type ShellParts, shellParts } from './shell-tree.ts';

const SRC = new URL('../../src/', import.meta.url).pathname;

export type ShellModule = { readonly text: string; readonly parts: ShellParts };

/** By their paths below `directory` of src, such as `apply/lock.sh`. */
export function shellModules(directory: string): ReadonlyMap<string, ShellModule> {
  const files = readdirSync(join(SRC, directory), { recursive: true, encoding: 'utf8' }).filter((name) =>
    name.endsWith('.sh'),
  );
  return new Map(
    files.sort().map((file) => {
      const text = readFileSync(join(SRC, directory, file), 'utf8');
      return [file, { text, parts: shellParts(text) }];
    }),
  );
}

/** The functions defined by any of the modules. For a user's systemd, functions of these names shadow the programs. */
export function definedIn(modules: Iterable<ShellModule>): ReadonlySet<string> {
  const defined = new Set([...modules].flatMap(({ parts }) => [...parts.functions]));
  for (const name of ['systemctl', 'journalctl']) defined.delete(name);
  return defined;
}

/** The value of a header: `# Needs functions: a b`, over any number of lines. */
function header(text: string, what: string): string[] {
  return [...text.matchAll(new RegExp(`^# Needs ${what}: (.+)$`, 'gm'))]
    .flatMap((match) => (match[1] ?? '').split(' '))
    .sort();
}

type Needs = { readonly functions: string[]; readonly variables: string[]; readonly programs: string[] };

export function saidNeeds({ text }: ShellModule): Needs {
  return {
    functions: header(text, 'functions'),
    variables: header(text, 'variables'),
    programs: header(text, 'programs'),
  };
}

export function realNeeds({ parts }: ShellModule, defined: ReadonlySet<string>): Needs {
  const others = [...parts.calls].filter((name) => !parts.functions.has(name));
  return {
    functions: others.filter((name) => defined.has(name)).sort(),
    variables: [...parts.reads].filter((name) => !parts.sets.has(name)).sort(),
    programs: others.filter((name) => !defined.has(name)).sort(),
  };
}

/** Functions that a script calls but does not define. */
export function missingFunctions(script: string, defined: ReadonlySet<string>): string[] {
  const { calls, functions } = shellParts(script);
  return [...calls].filter((name) => defined.has(name) && !functions.has(name));
}

/** Results with a kind outside `kinds` or with other fields, and kinds that no module returns. */
export function wrongResults(
  modules: Iterable<ShellModule>,
  kinds: Readonly<Record<string, readonly string[]>>,
): string[] {
  const all = [...modules];
  const results = all.flatMap(({ parts }) => parts.lines.filter(([name]) => name === 'result'));
  const wrong = results.filter(([, kind, ...fields]) => kinds[kind ?? '']?.length !== fields.length);
  const ended = new Set(results.map(([, kind]) => kind));
  return [
    ...wrong.map((words) => words.join(' ')),
    ...Object.keys(kinds).filter((kind) => !ended.has(kind)),
    ...all.flatMap(({ text }) => text.match(/(?:echo|printf) '@result.*/g) ?? []),
  ];
}
