/** The command line that starts this program again, from a timer or cron. */

import { existsSync, realpathSync } from 'node:fs';
import { delimiter, join, resolve } from 'node:path';
import { isSea } from 'node:sea';

/** The first words of a command line that starts this program again. */
export function ownCommand(): readonly string[] {
  const { execPath, argv0, env } = process;
  return isSea() ? [calledPath(execPath, argv0, env.PATH)] : [execPath, realpathSync(process.argv[1] ?? 'docker-tls')];
}

/** The path by which an executable was called: a link survives an upgrade that puts the executable elsewhere. */
export function calledPath(executable: string, argv0: string, path = ''): string {
  const places = argv0.includes('/')
    ? [resolve(argv0)]
    : path.split(delimiter).map((directory) => join(directory, argv0));
  const isExecutable = (place: string) =>
    place.startsWith('/') && existsSync(place) && realpathSync(place) === executable;
  return places.find(isExecutable) ?? executable;
}
