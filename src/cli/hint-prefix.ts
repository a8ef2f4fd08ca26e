/**
 * Owns commands to paste as this person has to type them: hints and next steps are written as `docker-tls …`, but who called the plugin
 * types `docker tls …`, and who gave --home has to give it again.
 */

import { shellQuote } from '../domain/quote.ts';
import { COMMANDS } from './commands.ts';

/** Says a line, wherever in it the command stands. */
export type HintPrefix = (line: string) => string;

/** What is typed on another computer has nothing to do with how this one was called. */
const ON_ANOTHER_COMPUTER = /^(?:where|on that computer|on the other computer)\b/;

/** `home`: the directory that was given by --home, if one was. */
export function hintPrefix(program: string, home: string | undefined): HintPrefix {
  if (program === 'docker-tls' && home === undefined) return (line) => line;
  const names = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))].join('|');
  const command = new RegExp(`(?<![\\w/.=-])docker-tls (?=(?:${names}|--home)\\b)`, 'g');
  return (line) => {
    if (ON_ANOTHER_COMPUTER.test(line)) return line;
    const own = home === undefined || / --home\b/.test(line) ? '' : ` --home ${shellQuote(home)}`;
    return line.replace(command, () => `${program}${own} `);
  };
}
