/**
 * Owns commands to paste as this person has to type them: hints and next steps are written as `docker-tls …`, but who called the plugin
 * types `docker tls …`, and who gave --home has to give it again.
 */

import { shellQuote } from '../daemon/quote.ts';
import { COMMANDS } from './commands.ts';

export type OwnWords = {
  /** A hint, wherever in it the command stands. */
  hint(text: string): string;
  /** What a command says to people: only its indented lines are commands to go on with. */
  text(text: string): string;
};

/** What is typed on another computer has nothing to do with how this one was called. */
const ELSEWHERE = /\b(?:where|elsewhere|other computer|that computer)\b/;

/** `home`: the folder that was given by --home, if one was. */
export function ownWords(program: string, home: string | undefined): OwnWords {
  if (program === 'docker-tls' && home === undefined) return { hint: (text) => text, text: (text) => text };
  const names = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))].join('|');
  const command = new RegExp(`(?<=^|[^\\w/.=-]|\x1b\\[\\d+m)docker-tls (?=(?:${names})\\b)`, 'g');
  const own = `${program}${home === undefined ? '' : ` --home ${shellQuote(home)}`} `;
  const plugin = `${program} `;
  const hint = (text: string): string =>
    ELSEWHERE.test(text) ? text : text.replace(command, () => (/ --home\b/.test(text) ? plugin : own));
  return {
    hint,
    text: (text) => text.replace(/^ {2}.*$|^.*: {2,}docker-tls .*$/gm, hint),
  };
}
