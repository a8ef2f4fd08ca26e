/** Queries of the checks about one Compose service. */

import { at, fieldsOf, isObject, textAt } from '../../../../core/domain/json.ts';
import type { Mount } from '../api.ts';
import { type Evidence, judge, notApplicable, type Severity, type Verdict } from '../check.ts';
import { isRootUser } from '../checks/images.ts';
import type { Compose, Field, Service } from './compose-model.ts';
import { holdsPassword, isSecretName, isWrittenOut } from './secrets.ts';

/** A problem and its line; the service's line for a missing setting. */
export type Wrong = { readonly text: string; readonly line: number; readonly severity?: Severity };

export function isTrueField(field: Field | undefined): boolean {
  return field !== undefined && /^(true|yes|on|1)$/i.test(String(field.value));
}

/** A problem at the setting, or at the service that lacks it. */
export function wrongAt(service: Service, key: string, text: string): readonly Wrong[] {
  return [{ text, line: service.get(key)?.line ?? service.line }];
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
  return unset(service, paths) ? [{ text, line: service.line }] : [];
}

/** Volumes in both forms: `SOURCE:DESTINATION:options` and the long one. */
export function mounts(service: Service, { volumes }: Compose): readonly (Mount & { readonly line: number })[] {
  /** Host directory or device of a named volume, from its options. */
  function directoryOf(name: string): string | undefined {
    const volume = volumes.find((one) => one.name === name);
    const options = String(volume?.get('driver_opts', 'o')?.value ?? '').split(',');
    const device = String(volume?.get('driver_opts', 'device')?.value ?? '');
    return device.startsWith('/') || options.some((option) => /^r?bind$/.test(option)) ? device : undefined;
  }
  return service.items('volumes').flatMap(({ text, value, line }): readonly (Mount & { readonly line: number })[] => {
    if (isObject(value)) {
      const named = String(value.source ?? '');
      const source = value.type === 'bind' ? named : directoryOf(named);
      if (source === undefined) return [];
      const [destination, writable] = [String(value.target ?? ''), value.read_only !== true];
      return [{ type: 'bind', source, destination, writable, propagation: textAt(value, 'bind', 'propagation'), line }];
    }
    const [named = '', destination = '', options = ''] = text.split(':');
    const source = directoryOf(named) ?? named;
    if (!/^([./~]|\$\{?HOME\b)/.test(source)) return [];
    const words = options.split(',');
    const propagation = words.find((word) => /^r?(shared|slave|private)$/.test(word)) ?? '';
    return [{ type: 'bind', source, destination, writable: !words.includes('ro'), propagation, line }];
  });
}

/** Mounts of Docker's socket recognised by name only: below a variable's directory (`$XDG_RUNTIME_DIR`), and the named pipe of Windows. */
export function socketsByName(service: Service): readonly Wrong[] {
  return service.items('volumes').flatMap(({ text, value, line }) => {
    const { type, source: pipe } = fieldsOf(value);
    const whole = type === 'npipe' ? String(pipe) : text;
    const source = /^(\$(?!\{?HOME\b)[^:]*\/docker\.sock|.*?[\\/]pipe[\\/]docker_engine)(?=:|$)/.exec(whole)?.[1];
    return source === undefined ? [] : [{ text: `${source} is mounted`, line }];
  });
}

/** A published port. Undefined address: all; empty port: chosen by Docker. */
type Published = {
  readonly address?: string;
  readonly port: string;
  readonly container: string;
  readonly line: number;
};

/** `ADDRESS:PORT:CONTAINER`; a variable may contain colons. */
const PORT = /^(?:(?:(\[[^\]]*\]|(?:\$\{[^}]*\}|[^:])*):)?((?:\$\{[^}]*\}|[^:])*):)?((?:\$\{[^}]*\}|[^:])+)$/;

export function publishedAddress(port: string): string {
  return PORT.exec(port)?.[1] ?? '';
}

export function ports(service: Service): readonly Published[] {
  return service.items('ports').flatMap(({ text, value, line }): readonly Published[] => {
    if (isObject(value)) {
      const { host_ip: ip, published, target } = value;
      if (target === undefined && published === undefined) return [];
      const address = ip === undefined ? undefined : String(ip);
      return [{ address, port: String(published ?? ''), container: String(target ?? ''), line }];
    }
    const found = PORT.exec(text.replace(/\/(tcp|udp|sctp)$/, ''));
    if (found === null) return [];
    const [, address, port = '', container = ''] = found;
    return [{ address, port, container, line }];
  });
}

export function securityOptions(service: Service, pattern: RegExp): readonly Wrong[] {
  return service
    .items('security_opt')
    .filter(({ text }) => pattern.test(text))
    .map(({ text, line }) => ({ text, line }));
}

export function serviceUser(service: Service): readonly Wrong[] {
  const field = service.get('user');
  if (field === undefined || field.value === null)
    return [{ text: 'no user: the image decides, and most images decide for root', line: service.line }];
  return isRootUser(String(field.value)) ? [{ text: `user is ${String(field.value)}`, line: field.line }] : [];
}

export function serviceRestart(service: Service): readonly Wrong[] {
  const value = String(service.get('restart')?.value ?? 'no');
  const count = /^on-failure(?::(\d+))?$/.exec(value);
  const endless = count !== null && (count[1] === undefined || Number(count[1]) > 5);
  return endless || /^(always|unless-stopped)$/.test(value) ? wrongAt(service, 'restart', `restart is ${value}`) : [];
}

export function secrets(service: Service): readonly Wrong[] {
  return [...writtenOut(service, ['environment'], ''), ...writtenOut(service, ['build', 'args'], 'build argument ')];
}

function writtenOut(service: Service, path: readonly string[], what: string): readonly Wrong[] {
  return service.items(...path).flatMap(({ text, line }) => {
    const cut = text.indexOf('=');
    const [name, value] = cut < 0 ? [text, ''] : [text.slice(0, cut), text.slice(cut + 1)];
    if (isSecretName(name) && isWrittenOut(value) && value !== 'null')
      return [{ text: `${what}${name} is written out`, line }];
    return holdsPassword(value) ? [{ text: `${what}${name}: the password in its address is written out`, line }] : [];
  });
}

/** Devices in both forms: `SOURCE:DESTINATION:options` and the long one. */
export function devices(service: Service): readonly Wrong[] {
  return service.items('devices').map(({ text, value, line }) => {
    const source = at(value, 'source');
    return { text: `has ${source === undefined ? text.split(':')[0] : String(source)}`, line };
  });
}

/** Services without their own network share a bridge created by Compose, unless the file defines it. */
function defaultBridge({ services, networks }: Compose): readonly Evidence[] {
  const there = services.filter(
    (service) => service.get('networks') === undefined && service.get('network_mode') === undefined,
  );
  const [first] = there;
  if (first === undefined || there.length < 2 || networks.some(({ name }) => name === 'default')) return [];
  return [{ place: 'network default', text: 'its containers reach all ports of one another', line: first.line }];
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
            {
              place: `network ${network.name}`,
              text: 'its containers reach all ports of one another',
              line: option?.line ?? network.line,
            },
          ];
    }),
  ]);
}
