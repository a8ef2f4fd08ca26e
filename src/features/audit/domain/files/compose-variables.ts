/** Variables of a Compose project: interpolation in all its forms, and .env files. */

/** Text with its variables replaced. `unknown`: the shell that starts Compose decides a part of it. */
type Interpolated = { readonly text: string; readonly unknown: boolean };

export type Variables = ReadonlyMap<string, string>;

const NAME = /[A-Za-z_]\w*/y;
const MAX_DEPTH = 20;
/** Longest text in braces: searching for the end of many takes long. */
const MAX_BRACED = 4096;
const MAX_VALUE = 65_536;

/**
 * Replaces `$A`, `${A}`, and `${A…}` with `:-`, `-`, `:?`, `?`, `:+`, `+`, also nested (compose-spec, "Interpolation"). A variable without
 * a value stays as it is written. `dollar`: text for `$$`; with `$$` itself the result is the text of the file, and holds the part of `:+` as
 * well.
 */
export function interpolate(text: string, variables: Variables, dollar = '$', depth = 0): Interpolated {
  if (!text.includes('$')) return { text, unknown: false };
  if (depth > MAX_DEPTH) return { text, unknown: true };
  let [result, unknown, at] = ['', false, 0];
  const add = (part: Interpolated): void => {
    result += part.text;
    unknown ||= part.unknown;
  };
  while (at < text.length) {
    const next = text.indexOf('$', at);
    if (next < 0 || result.length > MAX_VALUE) return { text: result + text.slice(at), unknown };
    result += text.slice(at, next);
    if (text[next + 1] === '$') {
      result += dollar;
      at = next + 2;
      continue;
    }
    const braced = text[next + 1] === '{';
    NAME.lastIndex = next + (braced ? 2 : 1);
    const name = NAME.exec(text)?.[0];
    const end = name === undefined ? -1 : braced ? closing(text, next + 2) : NAME.lastIndex;
    if (name === undefined || end < 0) {
      // Compose refuses it.
      unknown ||= name !== undefined;
      result += '$';
      at = next + 1;
      continue;
    }
    const rest = braced ? text.slice(NAME.lastIndex, end) : '';
    at = braced ? end + 1 : end;
    const [, operator = '', alternative = ''] = /^(:?[-?+])(.*)$/s.exec(rest) ?? [];
    const expand = (): Interpolated => interpolate(alternative, variables, dollar, depth + 1);
    add(substituted(name, variables.get(name), text.slice(next, at), operator, expand, dollar === '$$'));
  }
  return { text: result, unknown };
}

/** Value of one variable. `whole`: its text; `expand`: the text behind the operator. */
function substituted(
  name: string,
  value: string | undefined,
  whole: string,
  operator: string,
  expand: () => Interpolated,
  written: boolean,
): Interpolated {
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return isSet || written ? expand() : { text: '', unknown: value === undefined };
  if (isSet) return { text: value, unknown: false };
  if (operator.endsWith('-')) return expand();
  // The text of `:?` is not part of the value, and may contain colons.
  return { text: operator === '' ? whole : `\${${name}}`, unknown: !/^(?:PWD|HOME)$/.test(name) };
}

/** Position of the brace that closes the one before `from`; -1 if there is none. */
function closing(text: string, from: number): number {
  let depth = 1;
  const end = Math.min(text.length, from + MAX_BRACED);
  for (let at = from; at < end; at++) {
    if (text[at] === '$' && text[at + 1] === '{') depth += 1;
    else if (text[at] === '}') depth -= 1;
    if (depth === 0) return at;
  }
  return -1;
}

export type EnvEntry = { readonly name: string; readonly value: string; readonly line: number };

const ENTRY = /^[^\S\n]*(?:export[^\S\n]+)?([A-Za-z_][\w.-]*)[^\S\n]*[=:][^\S\n]*/;

/** The first `most` entries of an .env file, expanded from earlier ones and from `outer`. */
export function parseEnvFile(text: string, outer: Variables, most: number): readonly EnvEntry[] {
  const known = new Map(outer);
  const entries: EnvEntry[] = [];
  let [at, line] = [0, 0];
  while (at < text.length && entries.length < most) {
    line += 1;
    const end = endOfLine(text, at);
    const content = text.slice(at, end);
    const [whole, name = ''] = ENTRY.exec(content) ?? [];
    const start = at + (whole?.length ?? 0);
    at = end + 1;
    if (whole === undefined) continue;
    const entryLine = line;
    const quote = text[start];
    let value: string;
    if (quote === '"' || quote === "'") {
      const close = endOfQuote(text, quote, start + 1);
      // Without its end it may be as long as a value.
      const last = close < 0 ? endOfLine(text, Math.min(text.length, start + MAX_VALUE)) : close;
      const inside = text.slice(start + 1, last);
      value = quote === "'" ? inside : expanded(inside.replace(/\\([nrt"\\])/g, unescaped));
      for (
        let newline = text.indexOf('\n', start);
        newline >= 0 && newline < last;
        newline = text.indexOf('\n', newline + 1)
      )
        line += 1;
      at = endOfLine(text, last) + 1;
    } else {
      const rest = text.slice(start, end);
      const comment = /(?:^|\s)#/.exec(rest);
      value = expanded((comment === null ? rest : rest.slice(0, comment.index)).trim());
    }
    // As in a shell: an outer variable wins over the file.
    if (!outer.has(name)) known.set(name, value);
    entries.push({ name, value, line: entryLine });
  }
  return entries;

  function expanded(words: string): string {
    return interpolate(words, known).text.slice(0, MAX_VALUE);
  }
}

function endOfLine(text: string, from: number): number {
  const end = text.indexOf('\n', from);
  return end < 0 ? text.length : end;
}

/** Position of the closing quote, at most a value's length away; -1: none. */
function endOfQuote(text: string, quote: string, from: number): number {
  const end = Math.min(text.length, from + MAX_VALUE);
  for (let at = from; at < end; at++) {
    if (text[at] === '\\' && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescaped(_whole: string, character: string): string {
  return { n: '\n', r: '\r', t: '\t' }[character] ?? character;
}
