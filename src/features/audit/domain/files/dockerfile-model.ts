/**
 * Parser of Dockerfiles: instructions with line numbers, by stage. Source: docs.docker.com/reference/dockerfile. It replaces dockerfile-ast
 * (0.7.1). That one takes `sh -c 'cat <<EOF'` and an unterminated `<<EOF` for here-documents up to the end of the file, and two backslashes
 * at a line's end for a continuation. Both hide later instructions, for instance `USER root`.
 */

import { withDefaults } from './secrets.ts';

export type Instruction = {
  readonly name: string;
  readonly text: string;
  readonly line: number;
  readonly stage: number;
  /** Text of the here-documents of a COPY or ADD. */
  readonly document?: string;
};

export type Stage = { readonly base: string; readonly name: string; readonly line: number };

export const MAX_LINES = 20_000;
export const MAX_CHARS = 1_048_576;
/** Of one instruction, with its here-documents. */
export const MAX_INSTRUCTION = 262_144;
/** Nested variables can make a small file endless. */
const MAX_VALUE = 1024;
const MAX_TEXT = 16_384;

export type Dockerfile = {
  readonly instructions: readonly Instruction[];
  readonly stages: readonly Stage[];
  /** The image that reads the file, by `# syntax=`. */
  readonly syntax?: { readonly image: string; readonly line: number } | undefined;
};

/** Never throws; skips everything that is not an instruction. Joins continued lines; here-documents belong to their instruction. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const directives = directivesOf(lines);
  const continuation = directives.get('escape')?.value === '`' ? '`' : '\\';
  /** Last position of each line: exposes most false here-documents. */
  const last = new Map(lines.map((line, at) => [line.replace(/^\t+/, ''), at]));
  const instructions: Instruction[] = [];
  const stages: Stage[] = [];
  /** ARGs before the first FROM apply to every FROM. */
  const known = new Map<string, string>();
  for (let index = 0; index < lines.length; index++) {
    const start = index;
    const parts: string[] = [];
    for (; index < lines.length; index++) {
      const line = lines[index] ?? '';
      if (/^\s*#/.test(line) || (parts.length > 0 && line.trim() === '')) continue;
      // Two of them are a literal one (BuildKit, lineContinuationRegex).
      const bare = line.trimEnd();
      const continued = bare.endsWith(continuation) && !bare.endsWith(continuation + continuation);
      parts.push(continued ? bare.slice(0, -1) : line);
      if (!continued) break;
    }
    let whole = parts.join(' ').trim();
    let document = '';
    const found = /^([A-Za-z]+)\s+([\s\S]*)$/.exec(whole);
    if (found === null) continue;
    const name = (found[1] ?? '').toUpperCase();
    if (name === 'RUN' || name === 'COPY' || name === 'ADD') {
      for (const { tabs, word } of hereDocuments(whole)) {
        const end = (last.get(word) ?? -1) <= index ? -1 : endOfDocument(lines, index + 1, word, tabs);
        // Without its terminator it is not a here-document, and must not hide later lines.
        if (end < 0) continue;
        const inside = `\n${lines.slice(index + 1, end).join('\n')}`;
        if (name === 'RUN') whole += inside;
        else document += inside;
        index = end;
      }
    }
    const words = /^[A-Za-z]+\s+([\s\S]*)$/.exec(whole)?.[1] ?? '';
    const line = start + 1 + leadingComments(lines, start, index);
    if (name === 'FROM') {
      const from = /^(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?/i.exec(expand(words, known));
      stages.push({ base: from?.[1] ?? '', name: from?.[2]?.toLowerCase() ?? '', line });
    }
    if (name === 'ARG' && stages.length === 0)
      for (const [key, value] of pairs(name, words)) if (value !== undefined) known.set(key, expand(value, known));
    instructions.push({ name, text: words, line, stage: stages.length - 1, ...(document === '' ? {} : { document }) });
  }
  const syntax = directives.get('syntax');
  return { instructions, stages, syntax: syntax && { image: syntax.value, line: syntax.line } };
}

/** Directives count only at the top, before other comments or empty lines (docs.docker.com, "Parser directives"). The first one wins. */
function directivesOf(
  lines: readonly string[],
): ReadonlyMap<string, { readonly value: string; readonly line: number }> {
  const found = new Map<string, { value: string; line: number }>();
  for (const [index, line] of lines.entries()) {
    const [, name = '', value = ''] = /^\s*#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line) ?? [];
    if (name === '') break;
    if (!found.has(name.toLowerCase())) found.set(name.toLowerCase(), { value, line: index + 1 });
  }
  return found;
}

function endOfDocument(lines: readonly string[], from: number, word: string, tabs: boolean): number {
  for (let at = from; at < lines.length; at++) {
    const line = lines[at] ?? '';
    if ((tabs ? line.replace(/^\t+/, '') : line) === word) return at;
  }
  return -1;
}

/** The text without the first quoted part of each word, but for the words of here-documents. In time that grows with the text only. */
function withoutQuoted(text: string): string {
  const opening = /(?<=^|\s)(?!\d*<<)[^\s"']*(["'])/g;
  // Behind a quote that is never closed, another of its kind is not closed either.
  const unclosed = new Set<string>();
  let [result, at] = ['', 0];
  for (let found = opening.exec(text); found !== null; found = opening.exec(text)) {
    const [, quote = ''] = found;
    const end = unclosed.has(quote) ? -1 : endOfQuoted(text, quote, opening.lastIndex);
    if (end < 0) {
      unclosed.add(quote);
      continue;
    }
    result += text.slice(at, opening.lastIndex - 1);
    at = end + 1;
    opening.lastIndex = at;
  }
  return result + text.slice(at);
}

function endOfQuoted(text: string, quote: string, from: number): number {
  for (let at = from; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

/** Here-documents as in BuildKit: separate words outside quotes, so neither bash's `<<<` nor `$((1<<N))`. */
function hereDocuments(text: string): readonly { readonly tabs: boolean; readonly word: string }[] {
  if (!text.includes('<<')) return [];
  const bare = withoutQuoted(text);
  return Array.from(
    bare.matchAll(/(?<=^|\s)\d*<<(-?)(["']?)([A-Za-z_][A-Za-z0-9_]*)\2(?=\s|$|[|;&>])/g),
    ([, dash, , word = '']) => ({ tabs: dash === '-', word }),
  );
}

function leadingComments(lines: readonly string[], start: number, end: number): number {
  let count = 0;
  while (start + count < end && /^\s*(#|$)/.test(lines[start + count] ?? '')) count++;
  return count;
}

/** `ENV A=1 B="x y"`, `ENV A 1`, `ARG A B=1`; undefined: a name without a value. */
export function pairs(instruction: string, text: string): readonly (readonly [string, string | undefined])[] {
  if (instruction === 'ENV' && !/^[A-Za-z_][\w.-]*=/.test(text.trim())) {
    const [name = '', ...value] = text.trim().split(/\s+/);
    return [[name, value.join(' ')]];
  }
  return Array.from(
    text.matchAll(/(?<=^|\s)([A-Za-z_][\w.-]*)(?:=("(?:[^"\\]|\\.)*"|'[^']*'|(?:\\.|[^\s\\])*)|(?=\s|$))/gs),
    (found) => [found[1] ?? '', found[2]] as const,
  );
}

/** Substitutes variables by their values or written defaults; keeps those that only the build knows. */
function expand(text: string, known: Pick<ReadonlyMap<string, string>, 'get'>): string {
  const values = text
    .slice(0, MAX_TEXT)
    .replace(
      /\\\$|\$(?:([A-Za-z_]\w*)|\{([A-Za-z_]\w*)(?::?-[^${}]*)?\})/g,
      (whole, short?: string, long?: string) => known.get(short ?? long ?? '') ?? whole,
    );
  return withDefaults(values.slice(0, MAX_VALUE)).replace(/^(["'])(.*)\1$/s, '$2');
}

/** An instruction's text as the build sees it: with ENV of its stage and base stages, and ARG of its stage, up to this instruction. */
export function expanded({ instructions, stages }: Dockerfile, instruction: Instruction): string {
  const outside = new Map<string, string>();
  const env = new Map<string, string>();
  const args = new Map<string, string>();
  const inside = { get: (key: string) => env.get(key) ?? args.get(key) };
  const chain = finalStages({ instructions, stages: stages.slice(0, instruction.stage + 1) });
  const before = instructions.slice(0, instructions.indexOf(instruction));
  for (const stage of [-1, ...[...chain].reverse()]) {
    for (const { name, text } of before.filter((one) => one.stage === stage)) {
      if (name !== 'ENV' && !(name === 'ARG' && (stage === instruction.stage || stage === -1))) continue;
      for (const [key, value] of pairs(name, text)) {
        const here = value === undefined ? outside.get(key) : expand(value, stage === -1 ? outside : inside);
        if (here !== undefined) (stage === -1 ? outside : name === 'ENV' ? env : args).set(key, here);
      }
    }
  }
  return expand(instruction.text, inside);
}

/** Variables that an ENV or ARG in effect declares; a base outside the file may set others. */
export function declared({ instructions, stages }: Dockerfile, instruction: Instruction): ReadonlySet<string> {
  const chain = finalStages({ instructions, stages: stages.slice(0, instruction.stage + 1) });
  return new Set(
    instructions
      .slice(0, instructions.indexOf(instruction))
      .filter(
        ({ name, stage }) =>
          (name === 'ENV' && chain.includes(stage)) || (name === 'ARG' && stage === instruction.stage),
      )
      .flatMap(({ name, text }) => pairs(name, text).map(([key]) => key)),
  );
}

/** The last stage and its base stages in this file, last first: the content of the image. */
export function finalStages({ stages }: Dockerfile): readonly number[] {
  const chain: number[] = [];
  let here = stages.length - 1;
  while (here >= 0 && !chain.includes(here)) {
    chain.push(here);
    const base = stages[here]?.base.toLowerCase() ?? '';
    const before = stages.slice(0, here).findLastIndex(({ name }, index) => name === base || String(index) === base);
    if (before < 0) break;
    here = before;
  }
  return chain;
}
