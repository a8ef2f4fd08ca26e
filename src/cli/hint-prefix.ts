/**
 * Commands in hints, in the form that this user types: `docker-tls …` becomes `docker tls …` for the plugin, and a given --home is
 * repeated.
 */

import { shellQuote } from '../core/domain/quote.ts';
import { AsWritten, type Hint } from '../errors/errors.ts';
import { COMMANDS } from './commands.ts';

/** Commands that open no store, so they have no --home. */
const WITHOUT_STORE: readonly string[] = ['completion', 'notices', 'version'];

/** Rewrites a line; the command may be anywhere in it. */
export type HintPrefix = (hint: Hint) => string;

/** `home`: the directory given by --home, if any. */
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
