/** Error messages for schema violations: each zod issue becomes a problem with location, cause and fix. */

import * as z from 'zod/mini';
import { DockerTlsError } from '../../../errors/errors.ts';
import { NAME_HINT, nameProblem } from '../names.ts';
import { secretReferenceError } from '../secret-reference.ts';
import type { Setting } from '../setting.ts';
import type { Path, Problem } from './fleet-document.ts';
import { nearestNames } from './nearest.ts';

type Issue = z.core.$ZodIssue;

type ProblemContext = {
  readonly value: unknown;
  /** Allowed keys of the map at a path. */
  knownKeys(path: Path): readonly string[];
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
  const secret = /^(?:passphrase|sudo-password)$/.test(String(path.at(-1)));
  const found = valueAt(context.value, path);
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((key) => unknownKey(path, key, context));
    case 'invalid_key':
      return [{ path: path.slice(0, -1), key: String(path.at(-1)), ...badName(String(path.at(-1))) }];
    case 'invalid_union':
      return union(issue.errors, context, path, found);
    case 'invalid_type':
      return [secret ? badSecret(path) : wrongKind(path, issue.expected, found)];
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

function unknownKey(path: Path, key: string, context: ProblemContext): Problem {
  const known = context.knownKeys(path);
  if (path[0] === 'defaults' && ['address', 'destination', 'context', 'use', 'config-directory'].includes(key)) {
    return { path, key, message: `${key} belongs to one host, not to the defaults of all` };
  }
  // Users of the JSON records, or of another tool's YAML, write keyType or key_type.
  const kebab = key.replace(/_/g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const near = known.includes(kebab) ? [kebab] : nearestNames(kebab, known);
  const external = near.includes(kebab) ? undefined : misplaced(path, kebab, context);
  const hint =
    external ?? (near.length > 0 ? `did you mean ${near.join(' or ')}?` : `possible here: ${known.join(', ')}`);
  return {
    path,
    key,
    message: `there is no key ${short(key)} ${path.length === 0 ? 'in a fleet file' : `in ${path[0]}`}`,
    hints: [hint],
  };
}

/** Keys of `ssh` are often written next to it, and vice versa. */
function misplaced(path: Path, key: string, { knownKeys }: ProblemContext): string | undefined {
  if (path[0] !== 'hosts' && path[0] !== 'defaults') return undefined;
  const inSsh = path.at(-1) === 'ssh';
  const other = knownKeys(inSsh ? path.slice(0, -1) : [...path, 'ssh']);
  if (!other.includes(key)) return undefined;
  return inSsh ? `write ${key} next to ssh, not inside it` : `${key} belongs into ssh: { ${key}: … }`;
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
  const key = String(path.at(-1) ?? 'the file');
  if (found === undefined) return { path, message: `${key} is missing` };
  const message =
    path.length === 0
      ? 'the file is not a map of keys such as version and hosts'
      : `${kindWord(expected)} is expected for ${short(key)}, not ${kindOf(found)}`;
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
  if (key === 'version' && path.length === 1 && typeof found === 'number' && found > 1) {
    return {
      path,
      message: `the file is for a newer docker-tls (version ${found}; this one reads version ${values[0]})`,
      hints: ['install the newer docker-tls on this computer; the installed one: docker-tls version'],
    };
  }
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

function badSecret(path: Path): Problem {
  const { message, hints } = secretReferenceError();
  return { path, message, hints };
}

function badName(name: string): Pick<Problem, 'message' | 'hints'> {
  const why = nameProblem(name);
  return {
    message: `"${short(name)}" cannot be a name: ${why}`,
    hints: [NAME_HINT],
  };
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

function short(text: string): string {
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
  const [problem] = schemaProblems(read.error.issues, { value: given, knownKeys: () => [] });
  throw new DockerTlsError(cause?.code ?? 'E_USAGE', `${where}${problem?.message}`, { hints: problem?.hints ?? [] });
}
