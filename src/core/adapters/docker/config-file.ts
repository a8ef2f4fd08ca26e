/** Docker's config.json: the current context. docker-tls edits single keys; the rest of the file stays byte for byte. */

import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { ensureDir } from 'fs-extra/esm';
import { applyEdits, modify } from 'jsonc-parser';
import { DockerTlsError, errnoOf } from '../../../errors/errors.ts';
import { at, type Fields, isObject } from '../../domain/json.ts';
import { shellQuote } from '../../domain/quote.ts';
import { readIfThere, replaceFiles } from './atomic-files.ts';

/** The context in config.json; undefined for docker's `default`. Fails with E_DOCKER_CONFIG. */
export async function currentContext(dockerConfig: string): Promise<string | undefined> {
  const file = join(dockerConfig, 'config.json');
  const text = await readIfThere(file);
  const { currentContext: name } = parseConfig(text, file);
  return typeof name === 'string' && name !== '' && name !== 'default' ? name : undefined;
}

type Edit = readonly [path: readonly string[], value: string | undefined];

/**
 * Sets or removes keys. Other keys, their order, the indentation, the file's mode and a symbolic link to it stay. True if the file changed.
 * Fails with E_DOCKER_CONFIG if it is not a JSON object.
 */
export async function editConfig(dockerConfig: string, edits: readonly Edit[]): Promise<boolean> {
  const link = join(dockerConfig, 'config.json');
  const before = await readIfThere(link);
  const config = parseConfig(before, link);
  if (edits.every(([path, value]) => at(config, ...path) === value)) return false;
  const after = await edited(before, edits);
  // A dotfiles directory may own the real file; a rename over the link would separate them.
  const file = await realpath(link).catch((error: unknown) => {
    if (errnoOf(error) === 'ENOENT') return link;
    throw error;
  });
  if (before === undefined) {
    await ensureDir(dirname(file), 0o700);
    await replaceFiles([{ path: file, data: after, mode: 0o600 }]);
    return true;
  }
  const { mode, uid, gid } = await stat(file);
  await replaceFiles([{ path: file, data: after, mode: mode & 0o777, owner: { uid, gid } }]);
  return true;
}

async function edited(before: string | undefined, edits: readonly Edit[]): Promise<string> {
  const text = before === undefined || before.trim() === '' ? '{}\n' : before;
  // Docker itself indents with a tab.
  const indent = /\n([ \t]+)"/.exec(text)?.[1] ?? '\t';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.length,
    eol: text.includes('\r\n') ? '\r\n' : '\n',
  };
  return edits.reduce(
    (known, [path, value]) => applyEdits(known, modify(known, [...path], value, { formattingOptions })),
    text,
  );
}

function parseConfig(text: string | undefined, file: string): Fields {
  if (text === undefined || text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (isObject(value)) return value;
  } catch (cause) {
    throw damaged(file, cause);
  }
  throw damaged(file);
}

function damaged(file: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError(
    'E_DOCKER_CONFIG',
    "Docker's config.json is not a JSON object; docker-tls left it unchanged",
    {
      where: file,
      hints: [`python3 -m json.tool ${shellQuote(file)}`],
      cause,
    },
  );
}
