/**
 * Commands to paste as this person has to type them: hints and next steps are written as `docker-tls …`, but who called the plugin
 * types `docker tls …`, and who gave --home has to give it again.
 */

import { shellQuote } from '../core/domain/quote.ts';
import { AsWritten, type Hint } from '../errors/errors.ts';
import { COMMANDS } from './commands.ts';

/** They open no store, so they take no --home. */
const WITHOUT_STORE: readonly string[] = ['completion', 'notices', 'version'];

/** Says a line; the command may be anywhere in it. */
export type HintPrefix = (hint: Hint) => string;

/** `home`: the directory that was given by --home, if one was. */
export function hintPrefix(program: string, home: string | undefined): HintPrefix {
  if (program === 'docker-tls' && home === undefined) return String;
  const names = [...new Set(COMMANDS.map(({ name }) => name.split(' ')[0]))].join('|');
  const command = new RegExp(`(?<![\\w/.=-])docker-tls (?=(${names})\\b)`, 'g');
  const called = home === undefined ? program : `${program} --home ${shellQuote(home)}`;
  return (hint) =>
    hint instanceof AsWritten
      ? hint.line
      : hint.replace(command, (_, name: string) => `${WITHOUT_STORE.includes(name) ? program : called} `);
}
