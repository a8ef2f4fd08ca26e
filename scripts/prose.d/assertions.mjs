/** Assertions of tests on sentences of ours: literals in the arguments of a matcher that have at least four words beside commands and data. */

import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { scanTypeScript } from './extract.mjs';

/** All tests together have no more: what is left is about the sentence itself, or is printed by another program. */
export const MOST_ASSERTIONS = 84;

const VERBS =
  'apply|audit|ca|client|completion|config|container|context|cp|doctor|env|exec|forget|harden|help|import|inventory|listener|notices|operator|plan|ps|remove|rename|role|rollback|rotate|run|sample|schedule|setup|ssh|status|store|system|tls|tunnel|verify|version';
/** A command up to the end of its line. */
export const COMMAND = new RegExp(
  `(?:\\bdocker(?:-tls)? (?:--?[\\w-]+[ =]\\S+ )*(?:${VERBS})\\b|\\b(?:ssh|openssl|sudo|systemctl|rc-update|update-rc\\.d|rotate|mv|rm) -?-?\\w).*`,
  'g',
);

/** Words of a sentence in a text or in the source of a regular expression. */
export function plainWords(text) {
  return text
    .replaceAll(/\\[nrt]/g, '\n')
    .replaceAll(/\\[dswSDWB][+*?]?/g, ' ')
    .replaceAll(/\\(.)/g, '$1')
    .replaceAll(COMMAND, ' ')
    .replaceAll(/"[^"\n]*"|`[^`\n]*`/g, ' ')
    .split(/\s+/)
    .filter((word) => /^[("'^]*[A-Za-z][a-z]*(?:['-][a-z]+)*[.,:;!?)"'$]*$/.test(word));
}

export const isSentence = (text) => plainWords(text).length >= 4 && /[a-z]{2,},? [a-z]{2,}/.test(text);

/** Matchers called in a source, with the literals in their arguments: `{ name, at, end, literals }`. */
export function matchersIn(source) {
  const { strings, regexes } = scanTypeScript(source);
  const literals = [
    ...strings.map((one) => ({ ...one, kind: 'string' })),
    ...regexes.map((one) => ({ ...one, kind: 'regex' })),
  ].sort((one, other) => one.at - other.at);
  const inside = (at) => literals.find((one) => one.at <= at && at < one.end);
  const found = [];
  for (const match of source.matchAll(/\.(to(?!String|ISOString|Fixed|Sorted|JSON)[A-Z]\w+)\(/g)) {
    if (inside(match.index) && source[inside(match.index).at] !== '`') continue;
    let depth = 0;
    let end = match.index + match[0].length - 1;
    for (; end < source.length; end++) {
      const literal = inside(end);
      if (literal !== undefined) end = literal.end - 1;
      else if ('([{'.includes(source[end])) depth++;
      else if (')]}'.includes(source[end]) && --depth === 0) break;
    }
    const own = literals.filter(({ at }) => at > match.index && at < end);
    found.push({ name: match[1], at: match.index, end, literals: own });
  }
  return found;
}

const MATCHED = /\b(?:match|matchAll|replace|replaceAll|split|search)\(\s*$/;

/** Regular expressions that stand in a table of cases: a matcher gets them from there. */
function tableOf(source, seen) {
  return scanTypeScript(source).regexes.filter(
    ({ at, end, text }) =>
      isSentence(text) &&
      !seen.has(at) &&
      !MATCHED.test(source.slice(Math.max(0, at - 20), at)) &&
      !/^[a-z]*\.(?:exec|test)\(/.test(source.slice(end, end + 12)),
  );
}

/** Assertions of a source on sentences: `{ line, text }`, one per matcher, and one per regular expression of a table. */
export function assertionsIn(source) {
  const seen = new Set();
  const called = matchersIn(source).flatMap(({ literals }) => {
    const sentences = literals.filter(({ at, text }) => isSentence(text) && !seen.has(at));
    for (const { at } of sentences) seen.add(at);
    return sentences.slice(0, 1);
  });
  return [...called, ...tableOf(source, seen)].map(({ line, text }) => ({ line, text }));
}

/** Test files → assertions on sentences. */
export function assertionsOf(root) {
  const files = readdirSync(join(root, 'test'), { recursive: true, encoding: 'utf8' });
  return new Map(
    files
      .filter((name) => name.endsWith('.test.ts'))
      .sort()
      .map((name) => [`test/${name}`, assertionsIn(readFileSync(join(root, 'test', name), 'utf8'))])
      .filter(([, found]) => found.length > 0),
  );
}
