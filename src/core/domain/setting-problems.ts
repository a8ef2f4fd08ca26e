/** Error messages for values that a schema refuses: each zod issue becomes a problem with location, cause and fix. */

import * as z from 'zod/mini';
import { DockerTlsError, type Hint } from '../../errors/errors.ts';
import { nearestNames } from './nearest.ts';
import type { Setting } from './setting.ts';

export type Issue = z.core.$ZodIssue;
export type Path = readonly (string | number)[];

/** An error at `path`; with `key`, at that key of the map at `path`. */
export type Problem = {
  readonly path: Path;
  readonly key?: string;
  readonly message: string;
  readonly hints?: readonly Hint[];
};

type ProblemContext = {
  readonly value: unknown;
  /** Problems of a form that the context alone knows; undefined: those of any value. */
  own?(issue: Issue, path: Path, found: unknown): Problem[] | undefined;
};

export function schemaProblems(issues: readonly Issue[], context: ProblemContext, base: Path = []): Problem[] {
  const at = (issue: Issue) => JSON.stringify(issue.path);
  // zod adds the largest safe integer as a second issue.
  const idle = (issue: Issue) =>
    issue.code === 'too_big' &&
    Number(issue.maximum) === Number.MAX_SAFE_INTEGER &&
    issues.some((other) => other !== issue && at(other) === at(issue));
  return issues
    .filter((issue) => !idle(issue))
    .flatMap((issue) => problemsOf(issue, context, [...base, ...(issue.path as Path)]));
}

function problemsOf(issue: Issue, context: ProblemContext, path: Path): Problem[] {
  const found = valueAt(context.value, path);
  const own = context.own?.(issue, path, found);
  if (own !== undefined) return own;
  switch (issue.code) {
    case 'invalid_union':
      return union(issue.errors, context, path, found);
    case 'invalid_type':
      return [wrongKind(path, issue.expected, found)];
    case 'invalid_value':
      return [wrongChoice(path, issue.values.map(String), found)];
    case 'too_small':
    case 'too_big':
      return [outOfRange(path, issue, found)];
    case 'custom': {
      const hints = (issue.params?.hints ?? []) as readonly string[];
      return [{ path, message: issue.message, hints: hints.length > 0 ? hints : undefined }];
    }
    default:
      return [{ path, message: 'this value is not possible here' }];
  }
}

/** Reports the problems of the union's branch that has the found type. */
function union(branches: readonly Issue[][], context: ProblemContext, path: Path, found: unknown): Problem[] {
  const meant = branches.find((issues) => !issues.some((issue) => isOtherForm(issue)));
  if (meant !== undefined) return schemaProblems(meant, context, path);
  const kinds = branches.flat().flatMap((issue) => {
    if (issue.code === 'invalid_type') return [kindWord(issue.expected)];
    return issue.code === 'invalid_value'
      ? issue.values.map((value) => (value === null ? 'nothing' : String(value)))
      : [];
  });
  const wanted = [...new Set(kinds)];
  return [{ path, message: `${wanted.join(' or ')} is expected here, not ${kindOf(found)}` }];
}

function isOtherForm(issue: Issue): boolean {
  return issue.path.length === 0 && (issue.code === 'invalid_type' || issue.code === 'invalid_value');
}

function wrongKind(path: Path, expected: string, found: unknown): Problem {
  const key = String(path.at(-1) ?? 'the value');
  if (found === undefined) return { path, message: `${key} is missing` };
  const message = `${kindWord(expected)} is expected for ${short(key)}, not ${kindOf(found)}`;
  if (found === null) return { path, message, hints: ['write a value, or take the key out'] };
  if (expected === 'array' && typeof found === 'string') return { path, message, hints: [`${key}: [${found}]`] };
  if (expected === 'string' && typeof found !== 'object')
    return { path, message, hints: [`put it in quotes: "${String(found)}"`] };
  if (expected === 'boolean') return { path, message, hints: [`${key}: true, or ${key}: false`] };
  return { path, message };
}

function wrongChoice(path: Path, values: readonly string[], found: unknown): Problem {
  const key = String(path.at(-1));
  if (found === undefined) return { path, message: `${key} is missing`, hints: [`${key}: ${values[0]}`] };
  // A quoted number or boolean.
  if (typeof found === 'string' && values.includes(found)) {
    return {
      path,
      message: `${key} is ${/^\d/.test(found) ? 'a number' : found}, not text`,
      hints: [`${key}: ${found}`],
    };
  }
  const near = typeof found === 'string' ? nearestNames(found, values) : [];
  const message =
    typeof found === 'object'
      ? `${values.join(', ')} is expected here, not ${kindOf(found)}`
      : `${short(String(found))} is not possible for ${typeof path.at(-1) === 'number' ? String(path.at(-2)) : key}; there is ${values.join(', ')}`;
  return { path, message, hints: near.length > 0 ? [`did you mean ${near.join(' or ')}?`] : undefined };
}

function outOfRange(path: Path, issue: z.core.$ZodIssueTooSmall | z.core.$ZodIssueTooBig, found: unknown): Problem {
  const limit = issue.code === 'too_small' ? Number(issue.minimum) : Number(issue.maximum);
  if (Array.isArray(found)) {
    return {
      path,
      message: 'the list is empty: no client would be accepted',
      hints: ['take the key out, or write all'],
    };
  }
  return { path, message: `${String(path.at(-1))} is ${issue.code === 'too_small' ? 'at least' : 'at most'} ${limit}` };
}

function kindWord(expected: string): string {
  const words: Readonly<Record<string, string>> = {
    string: 'text',
    number: 'a number',
    int: 'a whole number',
    boolean: 'true or false',
    array: 'a list',
    object: 'a map',
    record: 'a map',
    null: 'nothing',
  };
  return words[expected] ?? expected;
}

function kindOf(value: unknown): string {
  if (value === null || value === undefined) return 'nothing';
  if (Array.isArray(value)) return 'a list';
  switch (typeof value) {
    case 'object':
      return 'a map';
    case 'number':
      if (!Number.isFinite(value)) return 'one beyond all numbers';
      return Number.isInteger(value) ? 'a number' : 'a number with a fraction';
    case 'boolean':
      return `${value}`;
    default:
      return 'text';
  }
}

export function short(text: string): string {
  return text.length > 60 ? `${text.slice(0, 60)}…` : text;
}

function valueAt(value: unknown, path: Path): unknown {
  return path.reduce<unknown>(
    (at, key) =>
      typeof at === 'object' && at !== null && Object.hasOwn(at, key)
        ? (at as Record<string, unknown>)[String(key)]
        : undefined,
    value,
  );
}

/** Parses a typed value by its setting's schema. `where` is a prefix for the error: E_USAGE, E_NAME (exit 2). */
export function readSetting({ schema }: Setting, given: unknown, where: string): unknown {
  const read = z.safeDecode(schema, given);
  if (read.success) return read.data;
  const [issue] = read.error.issues;
  const cause = issue?.code === 'custom' ? (issue.params?.error as DockerTlsError | undefined) : undefined;
  const [problem] = schemaProblems(read.error.issues, { value: given });
  throw new DockerTlsError(cause?.code ?? 'E_USAGE', `${where}${problem?.message}`, { hints: problem?.hints ?? [] });
}

/** Validator that returns the error of `read` in words. */
export function refusal(read: (text: string) => unknown): (text: string) => true | string {
  return (text) => {
    try {
      read(text);
      return true;
    } catch (error) {
      return error instanceof DockerTlsError ? error.message : 'That cannot be read.';
    }
  };
}
