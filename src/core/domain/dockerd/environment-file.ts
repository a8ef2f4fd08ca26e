/** Reads and edits variables of an EnvironmentFile (systemd.exec(5); parsed as in systemd's basic/env-file.c). */

/** A variable's value, and the lines (from 1) of its assignment. */
export type Assignment = { readonly value: string; readonly line: number; readonly endLine: number };

/** Assignment of a variable; the last one counts. Values may span lines: after a backslash, and inside quotes. */
export function environmentValue(text: string, name: string): Assignment | undefined {
  let found: Assignment | undefined;
  let at = 0;
  let line = 1;
  while (at < text.length) {
    // systemd parses `export NAME` as an invalid name, and ignores it.
    const start = /^[ \t\r]*([^\s#;=][^=]*?)[ \t]*=/.exec(lineFrom(text, at));
    if (start === null) {
      at += lineFrom(text, at).length + 1;
      line += 1;
      continue;
    }
    const { value, end } = readValue(text, at + start[0].length);
    const endLine = line + text.slice(at, end).split('\n').length - 1;
    if (start[1] === name) found = { value, line, endLine };
    at = end + 1;
    line = endLine + 1;
  }
  return found;
}

/** Replaces the value of an assignment, on one line, keeping its quotes if they can contain it. */
export function replaceValue(text: string, { line, endLine }: Assignment, value: string): string {
  const lines = text.split('\n');
  const head = /^([^=]*=)[ \t]*(["']?)/.exec(lines[line - 1] ?? '');
  lines.splice(line - 1, endLine - line + 1, `${head?.[1] ?? ''}${quoted(value, head?.[2] ?? '')}`);
  return lines.join('\n');
}

function quoted(value: string, quote: string): string {
  if (quote === "'" && !value.includes("'")) return `'${value}'`;
  if (quote === '' && !/["'\\\n]/.test(value)) return value;
  return `"${value.replace(/["\\]/g, '\\$&')}"`;
}

function lineFrom(text: string, at: number): string {
  const end = text.indexOf('\n', at);
  return text.slice(at, end < 0 ? undefined : end);
}

/** Parses up to the newline that ends a value; `end` is its offset. */
function readValue(text: string, from: number): { value: string; end: number } {
  let value = '';
  /** Blanks inside an unquoted value count; trailing blanks do not. */
  let blanks = '';
  /** `start`: before a value, and after a closing quote; skips blanks, and a quote opens. */
  let state: 'start' | 'plain' | '"' | "'" = 'start';
  let at = from;
  const add = (more: string): void => {
    value += blanks + more;
    blanks = '';
  };
  for (; at < text.length; at += 1) {
    const char = text[at] as string;
    const quoted = state === '"' || state === "'";
    if (!quoted && char === '\n') break;
    if (char === '\\' && state !== "'") {
      at += 1;
      const next = text[at] ?? '';
      if (!quoted) state = 'plain';
      if (next !== '\n') add(quoted && !/["\\`$]/.test(next) ? `\\${next}` : next);
    } else if (char === state) state = 'start';
    else if (quoted) add(char);
    else if (state === 'start' && (char === '"' || char === "'")) state = char;
    else if (!/[ \t\r]/.test(char)) {
      state = 'plain';
      add(char);
    } else if (state === 'plain') blanks += char;
  }
  return { value, end: at };
}
