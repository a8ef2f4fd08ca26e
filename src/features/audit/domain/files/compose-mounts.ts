/** Mounts of a Compose service from the host. */

import { posix } from 'node:path';
import { fieldsOf, isObject, textAt } from '../../../../core/domain/json.ts';
import type { Mount } from '../api.ts';
import { splitVolume } from './compose-merge.ts';
import type { Compose, Item, Service, Spot } from './compose-model.ts';
import type { Wrong } from './compose-service.ts';

/** `shown`: the source as the file has it. */
type FileMount = Mount & { readonly at: Spot; readonly shown: string };

/** Volumes in both forms: `SOURCE:DESTINATION:options` and the long one. */
export function mounts(service: Service, compose: Compose): readonly FileMount[] {
  return service.items('volumes').flatMap((item): readonly FileMount[] => {
    const { text, value, at } = item;
    if (isObject(value)) {
      const named = String(value.source ?? '');
      const source = value.type === 'bind' ? named : directoryOf(named, compose);
      if (source === undefined) return [];
      const [destination, writable] = [String(value.target ?? ''), !/^(true|yes|on)$/i.test(String(value.read_only))];
      const propagation = textAt(value, 'bind', 'propagation');
      return [{ type: 'bind', ...reached(source, item, compose), destination, writable, propagation, at }];
    }
    const [named = '', destination = '', options = ''] = splitVolume(text);
    // A single path is a volume without a name.
    if (destination === '') return [];
    const source = directoryOf(named, compose) ?? named;
    if (!/^([./~]|\$\{?HOME\b)/.test(source)) return [];
    const words = options.split(',');
    const propagation = words.find((word) => /^r?(shared|slave|private)$/.test(word)) ?? '';
    const writable = !words.includes('ro');
    return [{ type: 'bind', ...reached(source, item, compose), destination, writable, propagation, at }];
  });
}

/** Host directory or device of a named volume, from its options. */
function directoryOf(name: string, { volumes }: Compose): string | undefined {
  const volume = volumes.find((one) => one.name === name);
  const options = String(volume?.get('driver_opts', 'o')?.value ?? '').split(',');
  const device = String(volume?.get('driver_opts', 'device')?.value ?? '');
  return device.startsWith('/') || options.some((option) => /^r?bind$/.test(option)) ? device : undefined;
}

/** A relative path counts as the place that it reaches outside of the project. Inside of it, it is the project's own. */
function reached(source: string, { directory }: Item, compose: Compose): Pick<FileMount, 'source' | 'shown'> {
  if (!/^\.\.?(?:\/|$)/.test(source)) return { source, shown: source };
  const path = posix.resolve(compose.neighbours.root, directory, source);
  const inside = path === compose.directory || path.startsWith(`${compose.directory.replace(/\/$/, '')}/`);
  return inside ? { source, shown: source } : { source: path, shown: `${source} (${path})` };
}

/** Mounts of Docker's socket recognised by name only: below a variable's directory (`$XDG_RUNTIME_DIR`), and the named pipe of Windows. */
export function socketsByName(service: Service): readonly Wrong[] {
  return service.items('volumes').flatMap(({ text, value, at }) => {
    const { type, source: pipe } = fieldsOf(value);
    const whole = type === 'npipe' ? String(pipe) : text;
    const source = /^(\$(?!\{?HOME\b)[^:]*\/docker\.sock|.*?[\\/]pipe[\\/]docker_engine)(?=:|$)/.exec(whole)?.[1];
    return source === undefined ? [] : [{ text: `${source} is mounted`, at }];
  });
}
