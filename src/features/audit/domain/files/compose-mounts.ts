/** Mounts of a Compose service from the host. */

import { posix } from 'node:path';
import { type Fields, fieldsOf, isObject, textAt } from '../../../../core/domain/json.ts';
import type { Mount } from '../api.ts';
import { splitVolume } from './compose-merge.ts';
import type { Compose, Field, Item, Service, Spot } from './compose-model.ts';
import type { Wrong } from './compose-service.ts';

/** `shown…`: as the file has it. */
type FileMount = Mount & { readonly at: Spot; readonly shown: string; readonly shownDestination: string };

type Source = { readonly path: string; readonly shown: string };

/** Types of a mount that the long form has. */
export function isKnownType(type: unknown): boolean {
  return type === 'bind' || isOwnType(type);
}

/** Those whose source is no path of the host. */
function isOwnType(type: unknown): boolean {
  return ['volume', 'tmpfs', 'npipe', 'cluster', 'image'].includes(String(type));
}

/** Volumes in both forms, `SOURCE:DESTINATION:options` and the long one, and the files of secrets and configs. */
export function mounts(service: Service, compose: Compose): readonly FileMount[] {
  const volumes = service.items('volumes').flatMap((item) => {
    const one = isObject(item.value) ? longMount(item, item.value, compose) : shortMount(item, compose);
    return one ?? [];
  });
  return [...volumes, ...filesOf(service, compose).flatMap((one) => fileMount(one, compose) ?? [])];
}

/** A type that the audit does not know may be a bind mount. */
function longMount(item: Item, value: Fields, compose: Compose): FileMount | undefined {
  const named = String(value.source ?? '');
  const words = fieldsOf(item.shown);
  const source = isOwnType(value.type)
    ? directoryOf(named, compose)
    : { path: asPath(named), shown: asPath(String(words.source ?? '')) };
  if (source === undefined) return undefined;
  return {
    ...{ type: 'bind', ...reached(source, item, compose) },
    ...{ destination: String(value.target ?? ''), shownDestination: String(words.target ?? '') },
    writable: !/^(true|yes|on)$/i.test(String(value.read_only)),
    ...{ propagation: textAt(value, 'bind', 'propagation'), at: item.at },
  };
}

function shortMount(item: Item, compose: Compose): FileMount | undefined {
  const [named = '', destination = '', options = ''] = splitVolume(item.text);
  // A single path is a volume without a name.
  if (destination === '') return undefined;
  const [shown = '', shownDestination = ''] = splitVolume(item.words);
  const source = directoryOf(named, compose) ?? { path: named, shown };
  if (!/^([./~]|\$\{?HOME\b)/.test(source.path)) return undefined;
  const words = options.split(',');
  return {
    ...{ type: 'bind', ...reached(source, item, compose), destination, shownDestination },
    writable: !words.includes('ro'),
    propagation: words.find((word) => /^r?(shared|slave|private)$/.test(word)) ?? '',
    at: item.at,
  };
}

/** A secret or config of a service. `file`: the one of the host that Compose mounts for it. */
type UsedFile = {
  readonly item: Item;
  readonly what: 'secret' | 'config';
  readonly name: string;
  readonly file: Field | undefined;
};

export function filesOf(service: Service, { secrets, configs }: Compose): readonly UsedFile[] {
  const of = (what: UsedFile['what'], all: readonly Service[]) =>
    service.items(`${what}s`).map((item): UsedFile => {
      const name = isObject(item.value) ? String(item.value.source ?? '') : item.text;
      return { item, what, name, file: all.find((one) => one.name === name)?.get('file') };
    });
  return [...of('secret', secrets), ...of('config', configs)];
}

function fileMount({ item, what, name, file }: UsedFile, compose: Compose): FileMount | undefined {
  if (file === undefined) return undefined;
  const base = what === 'secret' ? '/run/secrets' : '/';
  const source = { path: asPath(String(file.value)), shown: asPath(String(file.shown)) };
  const target = (value: unknown): string => posix.resolve(base, String(fieldsOf(value).target ?? name));
  return {
    ...{ type: 'bind', ...reached(source, file, compose) },
    ...{ destination: target(item.value), shownDestination: target(item.shown) },
    ...{ writable: false, propagation: '', at: file.at },
  };
}

/** Where only a path can be, a name is one as well. */
function asPath(text: string): string {
  return /^(?:[./~$\\]|[A-Za-z]:)/.test(text) ? text : `./${text}`;
}

/** Host directory or device of a named volume, from its options. */
function directoryOf(name: string, { volumes }: Compose): Source | undefined {
  const volume = volumes.find((one) => one.name === name);
  const options = String(volume?.get('driver_opts', 'o')?.value ?? '').split(',');
  const device = volume?.get('driver_opts', 'device');
  const path = String(device?.value ?? '');
  const isHosts = path.startsWith('/') || options.some((option) => /^r?bind$/.test(option));
  return isHosts ? { path, shown: String(device?.shown ?? '') } : undefined;
}

/** A relative path counts as the place that it reaches outside of the project. Inside of it, it is the project's own. */
function reached(
  { path, shown }: Source,
  { directory }: Pick<Field, 'directory'>,
  compose: Compose,
): Pick<FileMount, 'source' | 'shown'> {
  if (!/^\.\.?(?:\/|$)/.test(path)) return { source: path, shown };
  const whole = posix.resolve(compose.neighbours.root, directory, path);
  const inside = whole === compose.directory || whole.startsWith(`${compose.directory.replace(/\/$/, '')}/`);
  if (inside) return { source: path, shown };
  return { source: whole, shown: path === shown ? `${shown} (${whole})` : shown };
}

const SOCKET_NAME = /^(?:\$(?!\{?HOME\b)[^:]*\/docker\.sock|.*?[\\/]pipe[\\/]docker_engine)(?=:|$)/;

/** Mounts of Docker's socket recognised by name only: below a variable's directory (`$XDG_RUNTIME_DIR`), and the named pipe of Windows. */
export function socketsByName(service: Service): readonly Wrong[] {
  return service.items('volumes').flatMap(({ text, words, value, shown, at }) => {
    const { type, source: pipe } = fieldsOf(value);
    const isSocket = SOCKET_NAME.test(type === 'npipe' ? String(pipe) : text);
    const source = type === 'npipe' ? String(fieldsOf(shown).source) : splitVolume(words)[0];
    return isSocket ? [{ text: `${source} is mounted`, at }] : [];
  });
}
