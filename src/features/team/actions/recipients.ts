/** Recipients that a user names: keys, or files with them. */

import { existsSync } from 'node:fs';
import { resolve } from 'node:path';
import { readIn } from '../../../core/actions/input-output.ts';

/** Lines of the file without comments if the text is a file name, otherwise the text itself. Fails with E_FILE (exit 2). */
export async function recipientsIn(text: string, cwd: string): Promise<readonly string[]> {
  if (!existsSync(resolve(cwd, text))) return [text];
  const lines = (await readIn(text, cwd)).toString('utf8').split(/\r?\n/);
  const found = lines.filter((line) => /^\s*[^\s#]/.test(line));
  return found.length > 0 ? found : [''];
}
