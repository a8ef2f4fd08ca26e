/** Files of a Compose project, by the name that a user gives. */

import { posix } from 'node:path';
import { type ComposeText, joined, MAX_FILES, type Neighbours } from './compose-project.ts';
import { composeError, MAX_ITEMS } from './compose-tree.ts';
import { parseEnvFile } from './compose-variables.ts';

const DEFAULT_NAME = /^(docker-)?compose\.ya?ml$/;
/** In Compose's search order: the first existing one is merged into a file with a default name. */
const OVERRIDES = ['compose', 'docker-compose'].flatMap((name) => [`${name}.override.yml`, `${name}.override.yaml`]);

/**
 * Files that `docker compose` reads for a file of a default name: with its override, or those of COMPOSE_FILE. `separator`: between the
 * names there. Throws E_COMPOSE for a file of COMPOSE_FILE that cannot be read, without its name, which is the text of an env file.
 */
export function projectFiles({ path, text }: ComposeText, neighbours: Neighbours, separator: string): ComposeText[] {
  const own = [{ path, text }];
  if (!DEFAULT_NAME.test(posix.basename(path))) return own;
  const directory = posix.dirname(path);
  const envPath = posix.join(directory, '.env');
  const env = neighbours.read(envPath);
  const entries = 'text' in env ? parseEnvFile(env.text, new Map(), MAX_ITEMS) : [];
  const given = new Map(entries.map(({ name, value }) => [name, value]));
  const listed = given.get('COMPOSE_FILE');
  if (listed !== undefined) {
    const files = listed.split(given.get('COMPOSE_PATH_SEPARATOR') ?? separator).map((file) => joined(directory, file));
    if (files.length > MAX_FILES) throw composeError(`COMPOSE_FILE names more than ${MAX_FILES} files`, envPath);
    if (!files.includes(posix.normalize(path))) return own;
    return files.map((file, index) => {
      if (file === posix.normalize(path)) return { path: file, text };
      const read = neighbours.read(file);
      if ('text' in read) return { path: file, text: read.text };
      throw composeError(`file ${index + 1} of COMPOSE_FILE was not read: ${read.reason}`, envPath);
    });
  }
  for (const name of OVERRIDES) {
    const file = neighbours.read(joined(directory, name));
    if ('text' in file) return [...own, { path: joined(directory, name), text: file.text }];
  }
  return own;
}
