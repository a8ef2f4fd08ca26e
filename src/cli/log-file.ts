/** The file of `--log`: a timestamped line for every event. */

import { appendFileSync, constants } from 'node:fs';
import { DockerTlsError, errnoOf } from '../errors/errors.ts';

type LogOptions = { readonly logFile?: string; now(): Date };

/**
 * Returns a function that writes a line; without a file it does nothing. E_LOG_FILE (exit 2) if the file, or its first line, cannot be
 * written; a later failure is reported once, to `draw`.
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
      // Finds a full disk before the run begins.
      if (!(error instanceof DockerTlsError) || written === 0) throw error;
      if (!fails) draw(`${logFile}: ${error.message}: the following lines are missing\n`);
      fails = true;
    }
  };
}

/** A pipe without a reader fails instead of blocking the run. */
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
