/**
 * Docker contexts, read and written in Docker's own layout (docker/cli, cli/context/store). docker need not be installed, and the TLS files
 * survive (`docker context update` loses them). Data of docker and others in a context survives too.
 */

import { createHash } from 'node:crypto';
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { ensureDir, remove } from 'fs-extra/esm';
import { readIfThere, replaceFiles, withFileErrors } from '../../../core/adapters/docker/atomic-files.ts';
import { currentContext, editConfig } from '../../../core/adapters/docker/config-file.ts';
import type { ClientCopies } from '../../../core/adapters/store/records.ts';
import { at, type Fields, fieldsOf, isObject, parseJson, textAt } from '../../../core/domain/json.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { Secret } from '../../../core/domain/secret.ts';
import type { ContextPlace } from '../../../core/seams/copies.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { checkContextName } from '../domain/context-name.ts';
import { clientFiles, secretDirectory, textOf } from './client-files.ts';

/** Docker keeps unknown fields of Metadata: this field marks our contexts. */
const MARK = 'DockerTls';
const DESCRIPTION = 'Docker over mutual TLS, kept by docker-tls';

type ContextToWrite = ContextPlace & {
  /** The text that `docker context ls` shows; default: the present one, else a sentence from docker-tls. */
  readonly description?: string;
  /** `tcp://…`, as rendered by dockerHost(). */
  readonly host: string;
  readonly ca: string;
  readonly cert: string;
  readonly key: Secret;
  /** The origin of these copies, for the notice of their expiry. Default: unchanged. */
  readonly source?: { readonly store: string; readonly hostName: string; readonly client: string };
  readonly use?: boolean;
  /** Take over an existing context that docker-tls did not write. */
  readonly replace?: boolean;
};

type Context = {
  readonly name: string;
  readonly description: string;
  /** Empty if the context has no docker endpoint. */
  readonly host: string;
  /** True if docker-tls wrote it. */
  readonly ours: boolean;
  readonly current: boolean;
  /** The directory for its TLS files, even without files; with them it works as DOCKER_CERT_PATH. */
  readonly directory: string;
  readonly ca?: string;
  readonly cert?: string;
  readonly key?: Secret;
};

/**
 * Creates or updates a context: description, host and TLS files only. `changed` is false if everything was already in sync. Errors (exit
 * 2): E_CONTEXT_NAME, E_CONTEXT_EXISTS (not ours, without `replace`), E_CONTEXT_DAMAGED, E_DOCKER_CONFIG (with `use`), E_CLIENT_FILES.
 */
export async function writeContext(
  context: ContextToWrite,
): Promise<{ changed: boolean; created: boolean; directory: string }> {
  checkContextName(context.name);
  const { metaFile, metaDirectory, tlsDirectory, directory } = pathsOf(context);
  return withFileErrors(directory, async () => {
    const before = await placeFor(context);
    const tlsChanged = await writeTls(tlsDirectory, directory, context);
    const after = mergeMeta(before ?? {}, context);
    const metaChanged = JSON.stringify(after) !== JSON.stringify(before);
    if (metaChanged) {
      // Last, because this creates the context.
      await ensureDir(metaDirectory, 0o755);
      await replaceFiles([{ path: metaFile, data: JSON.stringify(after), mode: 0o644 }]);
    }
    const used = context.use === true && (await setCurrentContext(context.dockerConfig, context.name));
    return { changed: tlsChanged || metaChanged || used, created: before === undefined, directory };
  });
}

/** Fails as writeContext would; writes nothing. */
export async function checkContext(context: Pick<ContextToWrite, 'name' | 'dockerConfig' | 'use' | 'replace'>) {
  checkContextName(context.name);
  await withFileErrors(pathsOf(context).directory, () => placeFor(context));
}

/** The existing context, if it may be overwritten. Finds an unwritable config.json before anything changes. */
async function placeFor(context: Pick<ContextToWrite, 'name' | 'dockerConfig' | 'use' | 'replace'>) {
  const before = await readMeta(context);
  if (before !== undefined && !isOurs(before) && !context.replace)
    throw foreign(context, 'choose another name with --context NAME, or take it over with --replace');
  if (context.use) await currentContext(context.dockerConfig);
  return before;
}

/** A context with its TLS files; undefined without one of that name. Errors: E_CONTEXT_NAME, E_CONTEXT_DAMAGED, E_CLIENT_FILES. */
export async function readContext(place: ContextPlace): Promise<Context | undefined> {
  checkContextName(place.name);
  const { directory } = pathsOf(place);
  return withFileErrors(directory, async () => {
    const meta = await readMeta(place);
    if (meta === undefined) return undefined;
    const key = await readIfThere(join(directory, 'key.pem'));
    return {
      name: place.name,
      description: textAt(meta, 'Metadata', 'Description'),
      host: textAt(meta, 'Endpoints', 'docker', 'Host'),
      ours: isOurs(meta),
      current: (await currentContext(place.dockerConfig)) === place.name,
      directory,
      ca: await readIfThere(join(directory, 'ca.pem')),
      cert: await readIfThere(join(directory, 'cert.pem')),
      key: key === undefined ? undefined : new Secret(key),
    };
  });
}

/** The contexts among a client's copies that point to an endpoint. Fails as readContext does. */
export async function contextsTo(
  endpoint: string,
  copies: readonly ClientCopies[],
): Promise<(Context & ContextPlace)[]> {
  const found: (Context & ContextPlace)[] = [];
  for (const { dockerConfig, contexts } of copies) {
    for (const name of contexts) {
      const context = await readContext({ name, dockerConfig });
      if (context?.host === endpoint) found.push({ ...context, dockerConfig });
    }
  }
  return found;
}

/**
 * Removes a context and its TLS files; if it was current, docker's default becomes current. False if it does not exist. Errors:
 * E_CONTEXT_EXISTS if it is not ours, E_CONTEXT_NAME, E_DOCKER_CONFIG, E_CLIENT_FILES.
 */
export async function removeContext(place: ContextPlace): Promise<boolean> {
  checkContextName(place.name);
  const { metaDirectory, tlsDirectory } = pathsOf(place);
  return withFileErrors(metaDirectory, async () => {
    const meta = await readMeta(place);
    if (meta === undefined) return false;
    if (!isOurs(meta)) throw foreign(place, `docker context rm ${place.name}`);
    if ((await currentContext(place.dockerConfig)) === place.name)
      await setCurrentContext(place.dockerConfig, undefined);
    await remove(metaDirectory);
    await remove(tlsDirectory);
    return true;
  });
}

function idOf(name: string): string {
  return createHash('sha256').update(name).digest('hex');
}

function pathsOf({ name, dockerConfig }: ContextPlace) {
  const metaDirectory = join(dockerConfig, 'contexts', 'meta', idOf(name));
  const tlsDirectory = join(dockerConfig, 'contexts', 'tls', idOf(name));
  const metaFile = join(metaDirectory, 'meta.json');
  return { metaDirectory, metaFile, tlsDirectory, directory: join(tlsDirectory, 'docker') };
}

async function writeTls(tlsDirectory: string, directory: string, context: ContextToWrite): Promise<boolean> {
  const files = clientFiles(directory, context);
  await secretDirectory(tlsDirectory);
  await secretDirectory(directory);
  const asWanted = await Promise.all(files.map((file) => holds(file.path, file.data, file.mode)));
  if (asWanted.every(Boolean)) return false;
  // Staged one directory up, so that docker does not mistake a file of a killed run for a TLS file.
  await replaceFiles(files, tlsDirectory);
  return true;
}

async function holds(path: string, data: string | Secret, mode: number): Promise<boolean> {
  const text = await readIfThere(path);
  if (text !== textOf(data)) return false;
  return process.platform === 'win32' || ((await stat(path)).mode & 0o777 & ~mode) === 0;
}

function mergeMeta(before: Fields, context: ContextToWrite): Fields {
  const metadata = fieldsOf(before.Metadata);
  const endpoints = fieldsOf(before.Endpoints);
  return {
    ...before,
    Name: context.name,
    Metadata: {
      ...metadata,
      Description: context.description ?? metadata.Description ?? DESCRIPTION,
      [MARK]: { ...fieldsOf(metadata[MARK]), Schema: 1, ...sourceFields(context.source) },
    },
    Endpoints: { ...endpoints, docker: { ...fieldsOf(endpoints.docker), Host: context.host, SkipTLSVerify: false } },
  };
}

function sourceFields(source: ContextToWrite['source']): Fields {
  return source === undefined ? {} : { Store: source.store, Host: source.hostName, Client: source.client };
}

async function readMeta(place: ContextPlace): Promise<Fields | undefined> {
  const { metaFile } = pathsOf(place);
  const text = await readIfThere(metaFile);
  if (text === undefined) return undefined;
  const meta = parseJson(text);
  if (isObject(meta) && meta.Name === place.name) return meta;
  const what = `the docker context ${place.name} is damaged: its meta.json is not a JSON object with that name`;
  const hints = [`docker context rm ${place.name}`, `rm ${shellQuote(metaFile)}`];
  throw new DockerTlsError('E_CONTEXT_DAMAGED', what, { where: metaFile, hints });
}

function isOurs(meta: Fields): boolean {
  return at(meta, 'Metadata', MARK) !== undefined;
}

function foreign(place: ContextPlace, wayOut: string): DockerTlsError {
  const what = `the docker context ${place.name} exists, and docker-tls did not write it`;
  return new DockerTlsError('E_CONTEXT_EXISTS', what, { hints: [`docker context inspect ${place.name}`, wayOut] });
}

/** Sets or, with undefined, removes the current context, as editConfig does. */
function setCurrentContext(dockerConfig: string, name: string | undefined): Promise<boolean> {
  return editConfig(dockerConfig, [[['currentContext'], name]]);
}
