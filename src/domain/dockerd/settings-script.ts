/**
 * Owns the file of settings that an init script reads as shell text (/etc/default/docker, /etc/conf.d/docker): the variable that holds
 * dockerd's flags, and the lines of ours at its end.
 */

import type { Assignment } from './environment-file.ts';

/** The variable whose words both Debian's script and OpenRC's give to dockerd. */
export const FLAGS_VARIABLE = 'DOCKER_OPTS';

const HEADER =
  '# Written by docker-tls: dockerd listens under mutual TLS. `docker-tls remove HOST` takes these lines away again.';
const OURS = /# Written by docker-tls:[^\n]*\n[^\n]*(?:\n|$)/g;

/** The text without lines of ours. */
export function withoutOurs(text: string): string {
  return text.replace(OURS, '');
}

/** The text with lines of ours at its end, which add flags. Flags hold no blanks and nothing that a shell reads. */
export function withOurs(text: string, flags: readonly string[]): string {
  const odd = flags.find((flag) => !/^[A-Za-z0-9_@%+=:,./[\]-]+$/.test(flag));
  if (odd !== undefined) throw new TypeError(`not a plain flag: ${JSON.stringify(odd)}`);
  const before = withoutOurs(text);
  const newline = before === '' || before.endsWith('\n') ? '' : '\n';
  return `${before}${newline}${HEADER}\n${FLAGS_VARIABLE}="$${FLAGS_VARIABLE} ${flags.join(' ')}"\n`;
}

/** All the flags that the file gives dockerd, ours last. */
export function scriptFlags(text: string): string {
  const [own = ''] = text.match(OURS) ?? [];
  const added = new RegExp(`^${FLAGS_VARIABLE}="\\$${FLAGS_VARIABLE} (.*)"$`, 'm').exec(own)?.[1] ?? '';
  return `${scriptAssignment(withoutOurs(text))?.value ?? ''} ${added}`.trim();
}

/** The assignment of the variable that counts. `plain`: the value is what is written there, and no other line adds to it. */
export type ScriptAssignment = Assignment & { readonly plain: boolean };

/** undefined: the file does not assign it. */
export function scriptAssignment(text: string): ScriptAssignment | undefined {
  const lines = text.split('\n');
  const found = lines.flatMap((line, index) => {
    const [, sign, value = ''] = new RegExp(`^\\s*(?:export\\s+)?${FLAGS_VARIABLE}(\\+?=)(.*)$`).exec(line) ?? [];
    return sign === undefined ? [] : [{ sign, value, line: index + 1 }];
  });
  const last = found.at(-1);
  if (last === undefined) return undefined;
  const [, double, single, bare] =
    /^(?:"([^"`$\\]*)"|'([^']*)'|([^\s"'`$\\;&|<>()#]*))\s*(?:#.*)?$/.exec(last.value) ?? [];
  const value = double ?? single ?? bare;
  return {
    value: value ?? '',
    line: last.line,
    endLine: last.line,
    plain: value !== undefined && found.length === 1 && last.sign === '=' && !/^\s/.test(lines[last.line - 1] ?? ''),
  };
}
