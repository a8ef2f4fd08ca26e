/** Owns the reading of a Dockerfile: instructions with their lines, in stages. Source: docs.docker.com/reference/dockerfile. */

export type Instruction = {
  readonly name: string;
  readonly text: string;
  readonly line: number;
  readonly stage: number;
};

export type Stage = { readonly base: string; readonly name: string; readonly line: number };

export const MAX_LINES = 20_000;

export type Dockerfile = { readonly instructions: readonly Instruction[]; readonly stages: readonly Stage[] };

/** Never throws: whatever is not an instruction is left out. Continued lines are joined, here-documents belong to their instruction. */
export function parseDockerfile(text: string): Dockerfile {
  const lines = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const continuation = escapeOf(lines);
  /** Where each line stands last: most of what looks like a here-document and is none is told by it. */
  const last = new Map(lines.map((line, at) => [line.replace(/^\t+/, ''), at]));
  const instructions: Instruction[] = [];
  const stages: Stage[] = [];
  for (let index = 0; index < lines.length; index++) {
    const start = index;
    const parts: string[] = [];
    for (; index < lines.length; index++) {
      const line = lines[index] ?? '';
      if (/^\s*#/.test(line) || (parts.length > 0 && line.trim() === '')) continue;
      const continued = line.trimEnd().endsWith(continuation);
      parts.push(continued ? line.trimEnd().slice(0, -1) : line);
      if (!continued) break;
    }
    let whole = parts.join(' ').trim();
    const found = /^([A-Za-z]+)\s+([\s\S]*)$/.exec(whole);
    if (found === null) continue;
    const name = (found[1] ?? '').toUpperCase();
    if (name === 'RUN' || name === 'COPY' || name === 'ADD') {
      for (const { tabs, word } of hereDocuments(whole)) {
        const end =
          (last.get(word) ?? -1) <= index
            ? -1
            : lines.findIndex((line, at) => at > index && (tabs ? line.replace(/^\t+/, '') : line) === word);
        // Without its end it is none, and must not hide what follows.
        if (end < 0) continue;
        if (name === 'RUN') whole += `\n${lines.slice(index + 1, end).join('\n')}`;
        index = end;
      }
    }
    const words = /^[A-Za-z]+\s+([\s\S]*)$/.exec(whole)?.[1] ?? '';
    const line = start + 1 + leadingComments(lines, start, index);
    if (name === 'FROM') {
      const from = /^(?:--\S+\s+)*(\S+)(?:\s+as\s+(\S+))?/i.exec(words);
      stages.push({ base: from?.[1] ?? '', name: from?.[2]?.toLowerCase() ?? '', line });
    }
    instructions.push({ name, text: words, line, stage: stages.length - 1 });
  }
  return { instructions, stages };
}

/** The directive counts only at the top, before any other comment or empty line (docs.docker.com, "Parser directives"). */
function escapeOf(lines: readonly string[]): string {
  for (const line of lines) {
    const directive = /^\s*#\s*([a-z]+)\s*=\s*(\S+)\s*$/i.exec(line);
    if (directive === null) break;
    if (directive[1]?.toLowerCase() === 'escape') return directive[2] === '`' ? '`' : '\\';
  }
  return '\\';
}

/** As BuildKit sees them: words of their own outside quotes, so neither `<<<` of bash nor `$((1<<N))`. */
function hereDocuments(text: string): readonly { readonly tabs: boolean; readonly word: string }[] {
  const bare = text.replace(/(?<=^|\s)(?!\d*<<)([^\s"']*)("(?:[^"\\]|\\.)*"|'[^']*')/gs, '$1');
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

/** The last stage and the stages of this file that it builds on, last first: what the image is made of. */
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
