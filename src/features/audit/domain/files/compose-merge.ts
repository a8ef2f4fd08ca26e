/** Compose's rules for merging files and extended services (compose-spec, "Merge"; compose-go, override). */

import { composeError, type Place, type Tree } from './compose-tree.ts';

/** Settings of a service, given as list or map, that are merged by name. */
const NAMED =
  /^services\.\*\.(?:annotations|labels|environment|sysctls|(?:build\.(?:args|labels|additional_contexts))|deploy\.labels)$/;
/** Lists of names that are merged as maps. */
const MAPPED = /^services\.\*\.(?:depends_on|networks)$/;
/** Replaced as a whole. */
const REPLACED = /^services\.\*\.(?:command|entrypoint|healthcheck\.test|ulimits\.\*)$/;
/** One value, or a list of them. */
const LISTED = /^services\.\*\.(?:dns|dns_opt|dns_search|env_file|label_file|tmpfs)$/;

/** Merges of hostile files end in an error: aliases can make them endless. */
const MAX_MERGES = 2_000_000;

export type Merges = { left: number };

export function newMerges(): Merges {
  return { left: MAX_MERGES };
}

/** `over` on top of `base`. `path`: of the value, a star for names: `services.*.ports`. */
export function mergePlaces(base: Place | undefined, over: Place, path: string, merges: Merges): Place {
  merges.left -= 1;
  if (merges.left < 0) throw composeError('merges make this file too large', over.origin.file);
  if (base === undefined || over.tree.tag !== undefined || REPLACED.test(path)) return over;
  if (over.tree === base.tree || isNothing(over.tree)) return base;
  const [low, high] = [canonical(base, path), canonical(over, path)];
  const isOtherLogger = path === 'services.*.logging' && differs(low, high, 'driver');
  if (low.map !== undefined && high.map !== undefined && !isOtherLogger) {
    const map = new Map(low.map);
    for (const [key, place] of high.map) {
      if (place.tree.tag === 'reset') map.delete(key);
      else
        map.set(
          key,
          mergePlaces(map.get(key), place, `${path}.${isName(path) ? '*' : key}`.replace(/^\./, ''), merges),
        );
    }
    return { ...over, tree: { map } };
  }
  if (low.list !== undefined && high.list !== undefined) {
    merges.left -= low.list.length + high.list.length;
    return { ...over, tree: { list: withoutDoubles([...low.list, ...high.list], path) } };
  }
  return over;
}

/** Keys of these maps are names. */
function isName(path: string): boolean {
  return /^(?:services|networks|volumes|configs|secrets)$|^services\.\*\.ulimits$/.test(path);
}

function isNothing({ scalar, list, map }: Tree): boolean {
  return (scalar === undefined || scalar === null) && list === undefined && map === undefined;
}

function differs(low: Tree, high: Tree, key: string): boolean {
  const [one, other] = [low, high].map(({ map }) => map?.get(key)?.tree.scalar);
  return one !== undefined && other !== undefined && one !== other;
}

/** The long form of a setting that has two. */
export function canonical(place: Place, path: string): Tree {
  const { tree } = place;
  if (path === 'services.*.build' && tree.scalar !== undefined) return { map: new Map([['context', place]]) };
  if (path === 'services.*.extends' && tree.scalar !== undefined) return { map: new Map([['service', place]]) };
  if (NAMED.test(path)) return { map: pairsOf(tree) };
  if (MAPPED.test(path) && tree.list !== undefined)
    return { map: new Map(tree.list.map((item) => [String(item.tree.scalar), { ...item, tree: {} }])) };
  if (LISTED.test(path) && tree.scalar !== undefined) return { list: [place] };
  return tree;
}

/** `A=1` of a list, or `A: 1` of a map; without a value: null, and the shell has it. */
export function pairsOf({ list, map }: Tree): ReadonlyMap<string, Place> {
  if (list === undefined) return map ?? new Map();
  return new Map(
    list.map((item): readonly [string, Place] => {
      const { scalar, written, unknown } = item.tree;
      const text = String(scalar ?? '');
      const cut = text.indexOf('=');
      if (cut < 0) return [text, { ...item, tree: { scalar: null } }];
      // The name itself may hold a variable.
      const writtenCut = written?.indexOf('=') ?? -1;
      const tree = {
        scalar: text.slice(cut + 1),
        written: writtenCut < 0 ? written : written?.slice(writtenCut + 1),
        unknown,
      };
      return [text.slice(0, cut), { ...item, tree }];
    }),
  );
}

/** Settings of a service whose later entry replaces an earlier one of the same key (compose-go, EnforceUnicity). */
export const UNIQUE = [
  ...['cap_add', 'cap_drop', 'devices', 'configs', 'dns', 'dns_opt', 'dns_search', 'env_file', 'expose', 'links'],
  ...['ports', 'profiles', 'secrets', 'tmpfs', 'volumes', 'security_opt'],
];

/** A list of a service without the entries that a later one replaces. */
export function withoutDoubles(list: readonly Place[], path: string): readonly Place[] {
  const setting = path.replace(/^services\.\*\./, '');
  if (!UNIQUE.includes(setting)) return list;
  const found = new Map<string, Place>();
  for (const place of list) found.set(keyOf(setting, place.tree), place);
  return [...found.values()];
}

function keyOf(setting: string, { scalar, map }: Tree): string {
  const at = (key: string): string => String(map?.get(key)?.tree.scalar ?? '');
  const text = String(scalar ?? '');
  if (setting === 'volumes' || setting === 'devices')
    return map === undefined ? (splitVolume(text)[1] ?? text) : at('target');
  if (setting === 'ports') return map === undefined ? text : JSON.stringify(PORT_KEY.map((key) => at(key)));
  if (setting === 'secrets' || setting === 'configs') return map === undefined ? text : at('target') || at('source');
  if (setting === 'env_file') return map === undefined ? text : at('path');
  return /^(?:security_opt|expose|profiles)$/.test(setting) ? text : text.replace(/=.*$/s, '');
}

const PORT_KEY = ['host_ip', 'published', 'target', 'protocol'];

/** `SOURCE:DESTINATION:options`; neither a variable nor a Windows drive ends at its colon. */
export function splitVolume(text: string): readonly string[] {
  return (text.match(/(?:^[A-Za-z]:[\\/])?(?:\$\{[^}]*\}|[^:])*(?::|$)/g) ?? [])
    .slice(0, 3)
    .map((part) => part.replace(/:$/, ''));
}
