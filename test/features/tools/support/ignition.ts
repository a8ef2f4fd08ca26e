/** Stand-in for butane and Ignition on a lab host without them: directories, then files, then links. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parse } from 'yaml';

export type Butane = {
  readonly variant: string;
  readonly version: string;
  readonly storage: {
    readonly directories: readonly { path: string; mode: number }[];
    readonly files: readonly {
      path: string;
      mode: number;
      overwrite: true;
      contents: { inline?: string; local?: string };
      user?: { id: number };
      group?: { id: number };
    }[];
    readonly links: readonly { path: string; target: string; overwrite: true }[];
  };
};

/** YAML as butane reads it: 0644 is octal. */
export function readButane(text: string): Butane {
  return parse(text, { version: '1.1' });
}

/** A script for the host; `filesDirectory`: location of `local` files on this machine. */
export function bootScript({ storage }: Butane, filesDirectory: string): string {
  const words = (...all: readonly string[]) => all.map((word) => `'${word.replaceAll("'", "'\\''")}'`).join(' ');
  return [
    'set -eu; umask 022',
    ...storage.directories.map(({ path, mode }) => `mkdir -p ${words(path)}; chmod ${mode.toString(8)} ${words(path)}`),
    ...storage.files.flatMap(({ path, mode, contents, user, group }) => {
      const data =
        contents.local === undefined
          ? Buffer.from(contents.inline ?? '')
          : readFileSync(join(filesDirectory, contents.local));
      return [
        `mkdir -p "$(dirname ${words(path)})"; echo ${data.toString('base64')} | base64 -d >${words(path)}`,
        `chmod ${mode.toString(8)} ${words(path)}; chown ${user?.id ?? 0}:${group?.id ?? 0} ${words(path)}`,
      ];
    }),
    ...storage.links.map(
      ({ path, target }) => `mkdir -p "$(dirname ${words(path)})"; ln -sfT ${words(target)} ${words(path)}`,
    ),
  ].join('\n');
}
