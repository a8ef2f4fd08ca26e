/** Problems with the entries of a fleet file or an inventory: unknown keys, names, references to secrets; else those of any value. */

import { NAME_HINT, nameProblem } from '../../../core/domain/names.ts';
import { nearestNames } from '../../../core/domain/nearest.ts';
import { type Issue, type Path, type Problem, schemaProblems, short } from '../../../core/domain/setting-problems.ts';
import { secretReferenceError } from '../../../formats/secret-reference.ts';
import { knownKeys } from './schema.ts';

/** `value`: the whole file; `base`: where in it the schema was applied. */
export function entryProblems(issues: readonly Issue[], value: unknown, base: Path = []): Problem[] {
  return schemaProblems(issues, { value, own: ownProblems }, base);
}

function ownProblems(issue: Issue, path: Path, found: unknown): Problem[] | undefined {
  const key = String(path.at(-1));
  switch (issue.code) {
    case 'unrecognized_keys':
      return issue.keys.map((one) => unknownKey(path, one));
    case 'invalid_key':
      return [{ path: path.slice(0, -1), key, ...badName(key) }];
    case 'invalid_type':
      if (/^(?:passphrase|sudo-password)$/.test(key)) return [badSecret(path)];
      return path.length === 0
        ? [{ path, message: 'the file is not a map of keys such as version and hosts' }]
        : undefined;
    case 'invalid_value':
      return key === 'version' && path.length === 1 && typeof found === 'number' && found > 1
        ? [newerVersion(path, found, issue.values.map(String))]
        : undefined;
    default:
      return undefined;
  }
}

function unknownKey(path: Path, key: string): Problem {
  const known = knownKeys(path);
  if (path[0] === 'defaults' && ['address', 'destination', 'context', 'use', 'config-directory'].includes(key)) {
    return { path, key, message: `${key} belongs to one host, not to the defaults of all` };
  }
  // Users of the JSON records, or of another tool's YAML, write keyType or key_type.
  const kebab = key.replace(/_/g, '-').replace(/[A-Z]/g, (letter) => `-${letter.toLowerCase()}`);
  const near = known.includes(kebab) ? [kebab] : nearestNames(kebab, known);
  const external = near.includes(kebab) ? undefined : misplaced(path, kebab);
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
function misplaced(path: Path, key: string): string | undefined {
  if (path[0] !== 'hosts' && path[0] !== 'defaults') return undefined;
  const inSsh = path.at(-1) === 'ssh';
  const other = knownKeys(inSsh ? path.slice(0, -1) : [...path, 'ssh']);
  if (!other.includes(key)) return undefined;
  return inSsh ? `write ${key} next to ssh, not inside it` : `${key} belongs into ssh: { ${key}: … }`;
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

function newerVersion(path: Path, found: number, values: readonly string[]): Problem {
  return {
    path,
    message: `the file is for a newer docker-tls (version ${found}; this one reads version ${values[0]})`,
    hints: ['install the newer docker-tls on this computer; the installed one: docker-tls version'],
  };
}
