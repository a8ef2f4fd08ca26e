/** The file of `--log`: a line with its time for everything that happens. */

import { appendFileSync, constants } from 'node:fs';
import { DockerTlsError, errnoOf } from '../errors/errors.ts';

type LogOptions = { readonly logFile?: string; now(): Date };

/**
 * Writes a line; without a file it does nothing. E_LOG_FILE (exit 2) if the file cannot be written now, or the first line cannot; later
 * that is said once, to `draw`.
 */
export function openLog({ logFile, now }: LogOptions, draw: (lost: string) => void): (text: string) => void {
  if (logFile === undefined) return () => {};
  append(logFile, '');
  let written = 0;
  let fails = false;
  return (text) => {
    try {
      append(logFile, `${now().toISOString()} ${text}\n`);
      written++;
    } catch (error) {
      // A full disk is found before the run begins.
      if (!(error instanceof DockerTlsError) || written === 0) throw error;
      if (!fails) draw(`${logFile}: ${error.message}: lines are missing from here on\n`);
      fails = true;
    }
  };
}

/** A pipe that no program reads fails, instead of holding the run up. */
const FLAGS = constants.O_WRONLY | constants.O_APPEND | constants.O_CREAT | (constants.O_NONBLOCK ?? 0);

function append(file: string, text: string): void {
  try {
    appendFileSync(file, text, { mode: 0o600, flag: FLAGS as never });
  } catch (cause) {
    throw new DockerTlsError('E_LOG_FILE', `the log file cannot be written (${errnoOf(cause) ?? 'unknown'})`, {
      where: file,
      hints: ['name another file with --log FILE'],
      cause,
    });
  }
}
