/**
 * Settings file that an init script sources (/etc/default/docker, /etc/conf.d/docker): the variable with dockerd's flags, and our lines at
 * its end.
 */

import type { Assignment } from '../../../core/domain/dockerd/environment-file.ts';

/** Variable of dockerd's flags in both Debian's and OpenRC's script. */
export const FLAGS_VARIABLE = 'DOCKER_OPTS';

/** A complete assignment: in double quotes, in single quotes, or bare. */
const ASSIGNMENT = new RegExp(
  `^(?:export\\s+)?${FLAGS_VARIABLE}=(?:"([^"\`$\\\\]*)"|'([^']*)'|([^\\s"'\`$\\\\;&|<>()#]*))\\s*(?:#.*)?$`,
);
const HEADER =
  '# Written by docker-tls: dockerd listens under mutual TLS. `docker-tls remove HOST` takes these lines away again.';
const OURS = /# Written by docker-tls:[^\n]*\n[^\n]*(?:\n|$)/g;

/** The text without our lines. */
export function withoutOurs(text: string): string {
  return text.replace(OURS, '');
}

/** The text with our lines blanked, to keep line numbers. */
export function withOursBlank(text: string): string {
  return text.replace(OURS, (ours) => ours.replace(/[^\n]+/g, ''));
}

/** Appends lines of docker-tls that add flags. Flags contain no blanks or shell syntax. `guarded` wraps the assignment in a condition. */
export function withOurs(
  text: string,
  flags: readonly string[],
  guarded: (line: string) => string = (line) => line,
): string {
  const odd = flags.find((flag) => !/^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(flag));
  if (odd !== undefined) throw new TypeError(`not a plain flag: ${JSON.stringify(odd)}`);
  const before = withoutOurs(text);
  // A trailing backslash would join our lines to the last one.
  const newline = /\\\n?$/.test(before) ? '\n\n' : before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${newline}${HEADER}\n${guarded(`${FLAGS_VARIABLE}="$${FLAGS_VARIABLE} ${flags.join(' ')}"`)}\n`;
}

/** All flags that the file passes to dockerd, ours last. */
export function scriptFlags(text: string): string {
  const [own = ''] = text.match(OURS) ?? [];
  const added = new RegExp(`\\b${FLAGS_VARIABLE}="\\$${FLAGS_VARIABLE} ([^"]*)"`).exec(own)?.[1] ?? '';
  return `${scriptAssignment(withoutOurs(text))?.value ?? ''} ${added}`.trim();
}

/** Assignment of the variable. `plain`: the value is literal, and no other line mentions it. `earlier`: line numbers of those that do. */
type ScriptAssignment = Assignment & { readonly plain: boolean; readonly earlier: readonly number[] };

/** undefined: the file does not mention the variable. */
export function scriptAssignment(text: string): ScriptAssignment | undefined {
  const named = text
    .split('\n')
    .map((words, index) => ({ words, line: index + 1 }))
    .filter(({ words }) => new RegExp(`^[^#]*\\b${FLAGS_VARIABLE}\\b`).test(words))
    // An export without a value.
    .filter(({ words }) => !new RegExp(`^\\s*export\\s+${FLAGS_VARIABLE}\\s*(?:#.*)?$`).test(words));
  const last = named.at(-1);
  if (last === undefined) return undefined;
  const values = named.flatMap(({ words }) => {
    const [, double, single, bare] = ASSIGNMENT.exec(words) ?? [];
    return double ?? single ?? bare ?? [];
  });
  return {
    value: values.at(-1) ?? '',
    line: last.line,
    endLine: last.line,
    plain: named.length === 1 && values.length === 1,
    earlier: named.slice(0, -1).map(({ line }) => line),
  };
}
