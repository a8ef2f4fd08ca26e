/**
 * The matcher `toSay`: a test names a message by its identifier and gives the values in it; the words stand in the golden file of the area, so
 * that prose is edited without an edit of tests.
 *
 *     expect(err).toSay('clients-rejected', 'build-1')
 *     expect(error).toMatchObject({ code: 'E_CLOCK', message: expect.toSay('clock-behind', '2 h') })
 *
 * A line of the golden file is `TEST/ID: WORDS`. In its words {1} is the first value, {*} any text of a line, {**} of lines. A text says a message if one of its lines
 * (or all of them as one) contains the words. UPDATE_MESSAGES=1 takes the words from the line of the text that is most like the old ones and
 * has every value, and prints both; no other value, and no text without a like line, passes for it. Words without a value are at least three.
 */

import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { basename } from 'node:path';
import { expect } from 'vitest';

declare module 'vitest' {
  // biome-ignore lint/suspicious/noExplicitAny: as Vitest declares it.
  interface Matchers<T = any> {
    toSay(id: string, ...values: readonly Value[]): T;
  }
}

/** What stands in a message beside its words; an undefined one is in none. */
type Value = string | number | undefined;

const ROOT = new URL('../../', import.meta.url);

/** The golden file of a test: one for the core and the command line, one per feature, one for the tests on hosts. */
export function goldenOf(testPath: string): URL {
  const area = /\/test\/(e2e|features\/[^/]+)\//.exec(testPath)?.[1] ?? 'core';
  return new URL(`test/${area}/golden/messages.txt`, ROOT);
}

/** Identifier → words. */
export function readMessages(file: URL): Map<string, string> {
  const lines = existsSync(file) ? readFileSync(file, 'utf8').split('\n') : [];
  return new Map(
    lines.flatMap((line) => {
      const [, id, words] = /^([\w./-]+): (.+)$/.exec(line) ?? [];
      return id === undefined || words === undefined ? [] : [[id, words] as const];
    }),
  );
}

function writeMessages(file: URL, messages: ReadonlyMap<string, string>): void {
  const lines = [...messages]
    .sort(([one], [other]) => (one < other ? -1 : 1))
    .map(([id, words]) => `${id}: ${words}\n`);
  writeFileSync(file, lines.join(''));
}

/** Every text in a value: of an error also its hints and details. */
function textsIn(value: unknown): string[] {
  if (typeof value === 'string') return [value];
  if (value instanceof Error) {
    const { message, hints, details, errors } = value as Error & Record<string, unknown>;
    return textsIn([message, hints, details, errors]);
  }
  if (typeof value !== 'object' || value === null) return [];
  return Object.values(value).flatMap(textsIn);
}

const linesOf = (texts: readonly string[]) => texts.flatMap((text) => text.split('\n'));
const escaped = (text: string) => text.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&');

/** A value as it stands in a text: the digits at its ends are those of no longer number. */
function valuePattern(value: Value): string {
  return escaped(`${value}`)
    .replace(/\s+/g, '\\s+')
    .replace(/^(?=\d)/, '(?<!\\d)')
    .replace(/(?<=\d)$/, '(?!\\d)');
}

function patternOf(words: string, values: readonly Value[]): RegExp {
  const parts = words.split(/(\{(?:\d+|\*+)\}|\s+)/).map((part) => {
    if (/^\s+$/.test(part)) return '\\s+';
    const slot = /^\{(.+)\}$/.exec(part)?.[1];
    if (slot === undefined) return escaped(part);
    if (slot === '*') return '.*';
    return slot === '**' ? '[\\s\\S]*' : valuePattern(values[Number(slot) - 1]);
  });
  return new RegExp(parts.join(''));
}

/** One or two words, and no value: too many texts have them. */
function areLoose(words: string): boolean {
  const literal = words.replace(/\{(?:\d+|\*+)\}/g, ' ').match(/[\p{L}\d]+/gu) ?? [];
  return literal.length < 3 && !/\{\d+\}/.test(words);
}

const wordsIn = (text: string) => new Set(text.toLowerCase().match(/[a-z]{2,}/g));

function likeness(one: string, other: string): number {
  const [few, many] = [wordsIn(one), wordsIn(other)];
  const both = [...few].filter((word) => many.has(word)).length;
  return both / Math.max(1, new Set([...few, ...many]).size);
}

/** Words of a line, with its values numbered and without what differs between runs. */
function templateOf(line: string, values: readonly Value[]): string {
  let text = line.trim();
  // A character for private use stands for a value until all are found.
  values.forEach((value, index) => {
    text = text.replace(`${value}`, String.fromCharCode(0xe001 + index));
  });
  return text
    .replace(/\/[^ '",;:)]*\/[\w-]*-\w{6}(?!\w)[^ '",;:)]*/g, '{*}')
    .replace(/SHA256:[\w+/=]{43}|\b(?:[0-9A-F]{2}:){7,}[0-9A-F]{2}…?|\b[0-9a-f]{32,}\b/g, '{*}')
    .replace(/\d{4}-\d\d-\d\d(?:[T ][\d:.]+Z?)?/g, '{*}')
    .replace(/\s+/g, ' ')
    .replace(/[\ue001-\ue0ff]/g, (character) => `{${character.charCodeAt(0) - 0xe000}}`);
}

/** Less is another message. */
const LEAST_LIKENESS = 0.5;

/** The words that a text has in place of the old ones, or undefined. */
function newWords(texts: readonly string[], values: readonly Value[], old: string): string | undefined {
  const templates = linesOf(texts)
    .filter((line) => line.trim() !== '' && values.every((value) => line.includes(`${value}`)))
    .map((line) => templateOf(line, values));
  const best = templates.sort((one, other) => likeness(other, old) - likeness(one, old))[0];
  if (best === undefined || (old !== '' ? likeness(best, old) < LEAST_LIKENESS : templates.length > 1))
    return undefined;
  return best;
}

const hasPlaces = (words: string, values: readonly Value[]) =>
  values.every((value, index) => value !== undefined && words.includes(`{${index + 1}}`));

/** Whether a text says a message; its words, as they are or as UPDATE_MESSAGES made them. */
export function says(
  { file, key }: { readonly file: URL; readonly key: string },
  received: unknown,
  values: readonly Value[],
  update = process.env.UPDATE_MESSAGES !== undefined,
): { readonly pass: boolean; readonly words: string } {
  const messages = readMessages(file);
  const texts = textsIn(received);
  const words = messages.get(key) ?? '';
  const holds = (template: string) =>
    !areLoose(template) &&
    hasPlaces(template, values) &&
    [...linesOf(texts), ...texts].some((text) => patternOf(template, values).test(text));
  if (holds(words) || !update) return { pass: holds(words), words };
  const next = newWords(texts, values, words);
  if (next === undefined || !holds(next)) return { pass: false, words };
  writeMessages(file, messages.set(key, next));
  process.stderr.write(`${key}\n  - ${words}\n  + ${next}\n`);
  return { pass: true, words: next };
}

/** A text that does not say a message of no words, or no text, would prove nothing. */
export function requireDeniable(file: URL, key: string, received: unknown, values: readonly Value[]): void {
  const words = readMessages(file).get(key) ?? '';
  if (areLoose(words)) throw new Error(`${key} has too few words to deny them: ${words || '(none)'}`);
  if (!hasPlaces(words, values)) throw new Error(`${key} has no place for each of ${JSON.stringify(values)}: ${words}`);
  if (textsIn(received).every((text) => text.trim() === '')) throw new Error(`${key}: there is no text to deny it of`);
}

expect.extend({
  toSay(received: unknown, id: string, ...values: Value[]) {
    const { testPath = '' } = this;
    const key = `${basename(testPath, '.test.ts')}/${id}`;
    const file = goldenOf(testPath);
    if (this.isNot) requireDeniable(file, key, received, values);
    // `not` never updates.
    const { pass, words } = says({ file, key }, received, values, this.isNot ? false : undefined);
    return {
      pass,
      message: () =>
        `${key}${this.isNot ? ' is' : ' is not'} said, with ${JSON.stringify(values)}: ${words || '(no words yet)'}\n` +
        `UPDATE_MESSAGES=1 npx vitest run --no-file-parallelism FILE takes the words of now; review the difference.\n\n${textsIn(received).join('\n')}`,
    };
  },
});
