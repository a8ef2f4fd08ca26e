/**
 * The file of settings that an init script reads as shell text (/etc/default/docker, /etc/conf.d/docker): the variable that holds
 * dockerd's flags, and the lines of ours at its end.
 */

import type { Assignment } from './environment-file.ts';

/** The variable whose words both Debian's script and OpenRC's give to dockerd. */
export const FLAGS_VARIABLE = 'DOCKER_OPTS';

/** What assigns it whole: in double quotes, in single ones, or bare. */
const ASSIGNMENT = new RegExp(
  `^(?:export\\s+)?${FLAGS_VARIABLE}=(?:"([^"\`$\\\\]*)"|'([^']*)'|([^\\s"'\`$\\\\;&|<>()#]*))\\s*(?:#.*)?$`,
);
const HEADER =
  '# Written by docker-tls: dockerd listens under mutual TLS. `docker-tls remove HOST` takes these lines away again.';
const OURS = /# Written by docker-tls:[^\n]*\n[^\n]*(?:\n|$)/g;

/** The text without lines of ours. */
export function withoutOurs(text: string): string {
  return text.replace(OURS, '');
}

/** The same, with each other line under its own number. */
export function withOursBlank(text: string): string {
  return text.replace(OURS, (ours) => ours.replace(/[^\n]+/g, ''));
}

/** The text with lines of ours at its end, which add flags. Flags hold no blanks and nothing that a shell reads. `guarded`: puts a condition around that. */
export function withOurs(
  text: string,
  flags: readonly string[],
  guarded: (line: string) => string = (line) => line,
): string {
  const odd = flags.find((flag) => !/^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(flag));
  if (odd !== undefined) throw new TypeError(`not a plain flag: ${JSON.stringify(odd)}`);
  const before = withoutOurs(text);
  // A last line that goes on would take ours in.
  const newline = /\\\n?$/.test(before) ? '\n\n' : before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${newline}${HEADER}\n${guarded(`${FLAGS_VARIABLE}="$${FLAGS_VARIABLE} ${flags.join(' ')}"`)}\n`;
}

/** All the flags that the file gives dockerd, ours last. */
export function scriptFlags(text: string): string {
  const [own = ''] = text.match(OURS) ?? [];
  const added = new RegExp(`\\b${FLAGS_VARIABLE}="\\$${FLAGS_VARIABLE} ([^"]*)"`).exec(own)?.[1] ?? '';
  return `${scriptAssignment(withoutOurs(text))?.value ?? ''} ${added}`.trim();
}

/** The assignment of the variable. `plain`: the value is what is written there, and no other line has to do with it. `earlier`: those that do. */
export type ScriptAssignment = Assignment & { readonly plain: boolean; readonly earlier: readonly number[] };

/** undefined: the file does not name it. */
export function scriptAssignment(text: string): ScriptAssignment | undefined {
  const named = text
    .split('\n')
    .map((words, index) => ({ words, line: index + 1 }))
    .filter(({ words }) => new RegExp(`^[^#]*\\b${FLAGS_VARIABLE}\\b`).test(words))
    // It only hands the variable on.
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
