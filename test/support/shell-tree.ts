/** Definitions and needs of a piece of shell, from its syntax tree (shfmt --to-json). */

import { spawnSync } from 'node:child_process';

type Node = { readonly [key: string]: unknown };

export type ShellParts = {
  readonly functions: ReadonlySet<string>;
  /** Variables that it sets itself. */
  readonly sets: ReadonlySet<string>;
  readonly reads: ReadonlySet<string>;
  /** Words in command position: functions and programs. */
  readonly calls: ReadonlySet<string>;
  /** Each call with its words; undefined for a word that is not literal. */
  readonly lines: readonly (readonly (string | undefined)[])[];
};

const BUILTIN = new Set(
  '. : [ break case cd command continue echo eval exec exit export false kill printf pwd read return set shift test trap true umask unset wait'.split(
    ' ',
  ),
);

/** Throws with shfmt's message if the text is not shell. */
export function shellParts(text: string): ShellParts {
  const { status, stdout, stderr } = spawnSync('shfmt', ['-ln', 'posix', '--to-json'], {
    input: text,
    encoding: 'utf8',
    maxBuffer: 64_000_000,
  });
  if (status !== 0) throw new Error(stderr);
  const parts = {
    functions: new Set<string>(),
    sets: new Set<string>(),
    reads: new Set<string>(),
    calls: new Set<string>(),
  };
  const lines: (string | undefined)[][] = [];
  visit(JSON.parse(stdout) as Node, (node) => {
    if (node.Type === 'FuncDecl') parts.functions.add(literal(node.Name));
    if (node.Type === 'ParamExp' && node.Param !== undefined) {
      const name = literal(node.Param);
      if (/^[A-Za-z_]/.test(name)) parts.reads.add(name);
    }
    if (node.Type === 'WordIter') parts.sets.add(literal(node.Name));
    if (node.Type === 'ArithmExp') for (const name of arithmetic(node)) parts.reads.add(name);
    if (node.Type !== 'CallExpr') return;
    for (const assign of (node.Assigns as Node[] | undefined) ?? []) parts.sets.add(literal(assign.Name));
    const words = ((node.Args as Node[] | undefined) ?? []).map(wordText);
    if (words.length === 0) return;
    lines.push(words);
    if (words[0] === 'read')
      for (const word of words.slice(1)) if (word && /^[a-z]\w*$/i.test(word)) parts.sets.add(word);
    if (words[0] === 'unset') return;
    for (const name of called(words)) if (!BUILTIN.has(name)) parts.calls.add(name);
  });
  return { ...parts, lines };
}

/** The command of a call, and the commands that it runs through timeout, exec and the like. */
function called(words: readonly (string | undefined)[]): string[] {
  const [first] = words;
  if (first === undefined) return [];
  const rest =
    first === 'timeout'
      ? words.slice(2)
      : first === 'exec'
        ? words.slice(1)
        : first === 'command' && words[1] !== '-v'
          ? words.slice(1)
          : [];
  return [first, ...(rest[0] !== undefined && /^[a-z]/.test(rest[0]) ? called(rest) : [])];
}

/** Names in arithmetic need no `$`; commands inside are handled separately. */
function arithmetic(node: Node): string[] {
  if (node.Type === 'CmdSubst') return [];
  if (node.Type === 'Lit') return /^[A-Za-z_]\w*$/.test(literal(node)) ? [literal(node)] : [];
  return Object.values(node).flatMap((value) =>
    (Array.isArray(value) ? value : [value]).flatMap((one) =>
      typeof one === 'object' && one !== null ? arithmetic(one as Node) : [],
    ),
  );
}

/** The text of a word without expansions and quotes. */
function wordText(word: Node): string | undefined {
  const parts = (word.Parts as Node[] | undefined) ?? [];
  const texts = parts.map((part) => {
    if (part.Type === 'Lit' || part.Type === 'SglQuoted') return String(part.Value ?? '');
    if (part.Type === 'DblQuoted') return wordText(part);
    return undefined;
  });
  return texts.includes(undefined) ? undefined : texts.join('');
}

function literal(node: unknown): string {
  return String((node as Node | undefined)?.Value ?? '');
}

function visit(node: unknown, see: (node: Node) => void): void {
  if (Array.isArray(node)) for (const one of node) visit(one, see);
  else if (typeof node === 'object' && node !== null) {
    see(node as Node);
    for (const value of Object.values(node)) visit(value, see);
  }
}
