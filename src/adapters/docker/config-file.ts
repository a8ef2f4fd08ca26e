/** Owns the one key of Docker's config.json that we touch: currentContext. Everything else in the file stays byte for byte. */

import { realpath, stat } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { shellQuote } from '../../domain/quote.ts';
import { DockerTlsError } from '../../errors/errors.ts';
import { codeOf, newDirectory, readIfThere, replaceFiles } from './files.ts';

/** The context in config.json; undefined where none is set, which is docker's `default`. Fails with E_DOCKER_CONFIG. */
export async function currentContext(dockerConfig: string): Promise<string | undefined> {
  const file = join(dockerConfig, 'config.json');
  const text = await readIfThere(file);
  const { currentContext: name } = parseConfig(text, file);
  return typeof name === 'string' && name !== '' && name !== 'default' ? name : undefined;
}

/**
 * Sets or, with undefined, takes away the current context. Other keys, their order, the indentation, the file's mode and a symbolic
 * link to it are kept. True when that changed the file. Fails with E_DOCKER_CONFIG when it is no JSON object.
 */
export async function setCurrentContext(dockerConfig: string, name: string | undefined): Promise<boolean> {
  const link = join(dockerConfig, 'config.json');
  const before = await readIfThere(link);
  const config = parseConfig(before, link);
  if (config.currentContext === name) return false;
  const after = await edit(before, name);
  // A dotfiles directory may own the real file; renaming over the link would part the two.
  const file = await realpath(link).catch((error: unknown) => {
    if (codeOf(error) === 'ENOENT') return link;
    throw error;
  });
  if (before === undefined) {
    await newDirectory(dirname(file));
    await replaceFiles([{ path: file, data: after, mode: 0o600 }]);
    return true;
  }
  const { mode, uid, gid } = await stat(file);
  await replaceFiles([{ path: file, data: after, mode: mode & 0o777, owner: { uid, gid } }]);
  return true;
}

async function edit(before: string | undefined, name: string | undefined): Promise<string> {
  // Docker itself indents with a tab.
  if (before === undefined || before.trim() === '') return `${JSON.stringify({ currentContext: name }, null, '\t')}\n`;
  const { applyEdits, modify } = await import('jsonc-parser');
  const indent = /\n([ \t]+)"/.exec(before)?.[1] ?? '\t';
  const formattingOptions = {
    insertSpaces: !indent.startsWith('\t'),
    tabSize: indent.length,
    eol: before.includes('\r\n') ? '\r\n' : '\n',
  };
  return applyEdits(before, modify(before, ['currentContext'], name, { formattingOptions }));
}

function parseConfig(text: string | undefined, file: string): Record<string, unknown> {
  if (text === undefined || text.trim() === '') return {};
  try {
    const value: unknown = JSON.parse(text);
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch (cause) {
    throw damaged(file, cause);
  }
  throw damaged(file);
}

function damaged(file: string, cause?: unknown): DockerTlsError {
  return new DockerTlsError({
    code: 'E_DOCKER_CONFIG',
    message: "Docker's config.json is no JSON object, so nothing was changed in it",
    where: file,
    hints: [`python3 -m json.tool ${shellQuote(file)}`],
    cause,
  });
}
