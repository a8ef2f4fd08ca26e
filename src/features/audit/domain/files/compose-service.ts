/** Queries of the checks about one Compose service. */

import { posix } from 'node:path';
import { type Fields, fieldsOf, isObject, parseJson, textAt, at as valueAt } from '../../../../core/domain/json.ts';
import { type Evidence, judge, notApplicable, type Severity, type Verdict } from '../check.ts';
import { isRootUser } from '../checks/images.ts';
import { splitVolume } from './compose-merge.ts';
import type { Compose, Field, Item, Service, Spot } from './compose-model.ts';
import { isNonRootImage } from './image-names.ts';

/** A problem and its place; the service's place for a missing setting. */
export type Wrong = { readonly text: string; readonly at: Spot; readonly severity?: Severity | undefined };

export function evidenceOf(place: string, { text, at, severity }: Wrong): Evidence {
  return { place, text, file: at.file, line: at.line, severity };
}

export function isTrueField(field: Field | undefined): boolean {
  return field !== undefined && /^(true|yes|on|1)$/i.test(String(field.value));
}

/** A problem at the setting, or at the service that lacks it. */
export function wrongAt(service: Service, key: string, text: string): readonly Wrong[] {
  return [{ text, at: service.get(key)?.at ?? service.at }];
}

export function is(service: Service, key: string, wanted: string, text: string): readonly Wrong[] {
  return String(service.get(key)?.value) === wanted ? wrongAt(service, key, text) : [];
}

/** Missing, empty or zero at all of these paths. */
function unset(service: Service, paths: readonly (readonly string[])[]): boolean {
  return paths.every((path) => {
    const value = service.get(...path)?.value;
    return value === undefined || value === null || /^(0|0\.0|-1|)$/.test(String(value));
  });
}

export function missing(service: Service, paths: readonly (readonly string[])[], text: string): readonly Wrong[] {
  return unset(service, paths) ? [{ text, at: service.at }] : [];
}

/** A published port. Undefined address: all; empty port: chosen by Docker. */
type Published = {
  readonly address?: string;
  readonly port: string;
  readonly container: string;
  /** For findings. */
  readonly shown: { readonly port: string; readonly container: string };
  readonly at: Spot;
};

/** `ADDRESS:PORT:CONTAINER`; a variable may contain colons. */
const PORT = /^(?:(?:(\[[^\]]*\]|(?:\$\{[^}]*\}|[^:])*):)?((?:\$\{[^}]*\}|[^:])*):)?((?:\$\{[^}]*\}|[^:])+)$/;

export function publishedAddress(port: string): string {
  return PORT.exec(port)?.[1] ?? '';
}

export function ports(service: Service): readonly Published[] {
  return service.items('ports').flatMap(({ text, words, value, shown, at }): readonly Published[] => {
    const found = isObject(value) ? longPort(value) : shortPort(text);
    if (found === undefined) return [];
    const named = isObject(shown) ? longPort(shown) : shortPort(words);
    return [{ ...found, shown: { port: named?.port ?? words, container: named?.container ?? words }, at }];
  });
}

type PortParts = Pick<Published, 'address' | 'port' | 'container'>;

function longPort({ host_ip: ip, published, target }: Fields): PortParts | undefined {
  if (target === undefined && published === undefined) return undefined;
  const address = ip === undefined ? undefined : String(ip);
  return { address, port: String(published ?? ''), container: String(target ?? '') };
}

function shortPort(text: string): PortParts | undefined {
  const found = PORT.exec(text.replace(/\/(tcp|udp|sctp)$/, ''));
  if (found === null) return undefined;
  const [, address, port = '', container = ''] = found;
  return { address, port, container };
}

export function securityOptions(service: Service, pattern: RegExp): readonly Wrong[] {
  return service
    .items('security_opt')
    .filter(({ text }) => pattern.test(text))
    .map(({ words, at }) => ({ text: words, at }));
}

export function serviceUser(service: Service): readonly Wrong[] {
  const field = service.get('user');
  const ofHooks = hooks(service)
    .filter(({ user }) => user !== undefined && isRootUser(user))
    .map(({ name, at }) => ({ text: `a ${name} hook runs as root`, at }));
  if (field === undefined || field.value === null)
    return isNonRootImage(String(service.get('image')?.value ?? ''))
      ? ofHooks
      : [{ text: 'no user: the image decides, and most images decide for root', at: service.at }, ...ofHooks];
  return isRootUser(String(field.value))
    ? [{ text: `user is ${String(field.shown)}`, at: field.at }, ...ofHooks]
    : ofHooks;
}

type Hook = {
  readonly name: string;
  readonly user?: string;
  readonly privileged: boolean;
  readonly command: Field['value'];
  readonly shown: Field['shown'];
  readonly at: Spot;
};

/** Commands that Compose runs in a container after its start and before its stop. */
export function hooks(service: Service): readonly Hook[] {
  return ['post_start', 'pre_stop'].flatMap((name) =>
    service.items(name).map(({ value, shown, at }) => {
      const { user, privileged, command } = fieldsOf(value);
      return {
        ...{ name, command, shown: fieldsOf(shown).command, at },
        ...{ privileged: /^(true|yes|on|1)$/i.test(String(privileged)) },
        ...(user === undefined ? {} : { user: String(user) }),
      };
    }),
  );
}

/** No system call filter, or one that allows whatever it does not name. */
export function unfiltered(service: Service, { neighbours }: Compose): readonly Wrong[] {
  return [
    ...securityOptions(service, /^seccomp[=:]unconfined$/),
    ...seccompProfiles(service).flatMap(({ path, shown, at }) => {
      const file = neighbours.read(path);
      const action = 'text' in file ? textAt(parseJson(file.text), 'defaultAction') : '';
      return /^SCMP_ACT_(?:ALLOW|LOG)$/.test(action)
        ? [{ text: `its seccomp profile ${shown} allows every system call that it does not name`, at }]
        : [];
    }),
  ];
}

export function seccompProfiles(
  service: Service,
): readonly { readonly path: string; readonly shown: string; readonly at: Spot }[] {
  return service.items('security_opt').flatMap(({ text, words, at, directory }) => {
    const path = /^seccomp[=:](?!unconfined$|builtin$)(.+)$/.exec(text)?.[1];
    return path === undefined
      ? []
      : [
          {
            path: posix.isAbsolute(path) ? path : posix.join(directory, path),
            shown: words.replace(/^seccomp[=:]/, ''),
            at,
          },
        ];
  });
}

/** Namespaces and volumes of other containers. */
export function shared(service: Service): readonly Wrong[] {
  return [
    ...['pid', 'ipc'].flatMap((key) => {
      const { value, shown } = service.get(key) ?? {};
      return /^(?:container|service):/.test(String(value))
        ? wrongAt(service, key, `${key} is that of ${String(shown)}`)
        : [];
    }),
    ...service
      .items('volumes_from')
      .filter(({ text }) => text.startsWith('container:'))
      .map(({ words, at }) => ({ text: `has all volumes of ${words}`, at })),
  ];
}

export function limits(service: Service): readonly Wrong[] {
  const adjusted = service.get('oom_score_adj');
  return [
    ...(isTrueField(service.get('oom_kill_disable'))
      ? wrongAt(service, 'oom_kill_disable', 'the OOM killer spares it')
      : []),
    ...(Number(adjusted?.value ?? 0) <= -900
      ? wrongAt(service, 'oom_score_adj', `the OOM killer spares it (${String(adjusted?.shown)})`)
      : []),
    ...['nproc', 'nofile'].flatMap((name) => {
      const field = service.get('ulimits', name);
      const values = isObject(field?.value) ? Object.values(field.value) : [field?.value];
      return field !== undefined && values.some((value) => /^(?:-1|unlimited)$/.test(String(value)))
        ? [{ text: `ulimit ${name} is unlimited`, at: field.at }]
        : [];
    }),
  ];
}

export function serviceRestart(service: Service): readonly Wrong[] {
  const field = service.get('restart');
  const value = String(field?.value ?? 'no');
  const count = /^on-failure(?::(\d+))?$/.exec(value);
  const endless = count !== null && (count[1] === undefined || Number(count[1]) > 5);
  return endless || /^(always|unless-stopped)$/.test(value)
    ? wrongAt(service, 'restart', `restart is ${String(field?.shown)}`)
    : [];
}

/** Devices in both forms, `SOURCE:DESTINATION:options` and the long one; and rules for devices that the container may make itself. */
export function devices(service: Service): readonly Wrong[] {
  return [
    ...service.items('devices').map(({ words, shown, at }) => {
      const source = valueAt(shown, 'source');
      return { text: `has ${source === undefined ? splitVolume(words)[0] : String(source)}`, at };
    }),
    ...service.items('device_cgroup_rules').map(({ text, words, at }: Item) => ({
      text: `may use devices by the rule ${words}`,
      at,
      // All devices, or any disk.
      severity: /^[ab]\b/.test(text) ? ('high' as const) : undefined,
    })),
  ];
}

/** Services without their own network share a bridge created by Compose, unless the file defines it. */
function defaultBridge({ services, networks }: Compose): readonly Evidence[] {
  const there = services.filter(
    (service) => service.get('networks') === undefined && service.get('network_mode') === undefined,
  );
  const [first] = there;
  if (first === undefined || there.length < 2 || networks.some(({ name }) => name === 'default')) return [];
  return [evidenceOf('network default', { text: 'its containers reach all ports of one another', at: first.at })];
}

export function composeIcc(compose: Compose): Verdict {
  const { networks } = compose;
  const implied = defaultBridge(compose);
  const bridges = networks.filter(
    (network) =>
      /^(bridge|undefined|null)$/.test(String(network.get('driver')?.value)) &&
      !isTrueField(network.get('external')) &&
      // `external: { name: x }` in older files.
      typeof network.get('external')?.value !== 'object',
  );
  if (bridges.length === 0 && implied.length === 0) return notApplicable('no bridge network is shared here');
  return judge([
    ...implied,
    ...bridges.flatMap((network): readonly Evidence[] => {
      const option = network.get('driver_opts', 'com.docker.network.bridge.enable_icc');
      return String(option?.value) === 'false'
        ? []
        : [
            evidenceOf(`network ${network.name}`, {
              text: 'its containers reach all ports of one another',
              at: option?.at ?? network.at,
            }),
          ];
    }),
  ]);
}
