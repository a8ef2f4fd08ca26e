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
 * a value stays as it is written. `dollar`: text for `$$`.
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
    add(substituted(name, variables.get(name), text.slice(next, at), operator, expand));
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
): Interpolated {
  const isSet = value !== undefined && (value !== '' || !operator.startsWith(':'));
  if (operator.endsWith('+')) return isSet ? expand() : { text: '', unknown: value === undefined };
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

/** Entries of an .env file, expanded from earlier ones and from `outer`. */
export function parseEnvFile(text: string, outer: Variables): readonly EnvEntry[] {
  const known = new Map(outer);
  const entries: EnvEntry[] = [];
  const lines = text.split('\n');
  for (let index = 0; index < lines.length; index++) {
    const start = /^\s*(?:export\s+)?([A-Za-z_][\w.-]*)[^\S\n]*[=:]\s*/.exec(lines[index] ?? '');
    if (start === null) continue;
    const line = index + 1;
    let rest = (lines[index] ?? '').slice(start[0].length);
    const quote = /^["']/.exec(rest)?.[0];
    let value: string;
    if (quote === undefined) {
      const comment = /(?:^|\s)#/.exec(rest);
      value = expanded((comment === null ? rest : rest.slice(0, comment.index)).trim());
    } else {
      while (endOfQuote(rest, quote) < 0 && index + 1 < lines.length && rest.length < MAX_VALUE)
        rest += `\n${lines[++index] ?? ''}`;
      const end = endOfQuote(rest, quote);
      const inside = rest.slice(1, end < 0 ? undefined : end);
      value = quote === "'" ? inside : expanded(inside.replace(/\\([nrt"\\])/g, unescaped));
    }
    const [, name = ''] = start;
    // As in a shell: an outer variable wins over the file.
    if (!outer.has(name)) known.set(name, value);
    entries.push({ name, value, line });
  }
  return entries;

  function expanded(words: string): string {
    return interpolate(words, known).text.slice(0, MAX_VALUE);
  }
}

function endOfQuote(text: string, quote: string): number {
  for (let at = 1; at < text.length; at++) {
    if (text[at] === '\\' && quote === '"') at += 1;
    else if (text[at] === quote) return at;
  }
  return -1;
}

function unescaped(_whole: string, character: string): string {
  return { n: '\n', r: '\r', t: '\t' }[character] ?? character;
}
