/** Unread parts of a Compose project: other files, and variables known only at start. */

import { isObject } from '../../../../core/domain/json.ts';
import { gravestOf, judge, type Severity } from '../check.ts';
import type { ComposeCheck } from './compose-check.ts';
import type { Compose, Service } from './compose-model.ts';
import { publishedAddress, type Wrong } from './compose-service.ts';

/** Settings that decide a service's access to the host: a variable in one of them hides it. */
const DECISIVE: readonly string[] = [
  'privileged',
  'network_mode',
  'pid',
  'ipc',
  'uts',
  'userns_mode',
  'cgroup',
  'cap_add',
  'devices',
  'security_opt',
  'user',
  'use_api_socket',
];

function unread(service: Service): readonly Wrong[] {
  const file = service.get('extends', 'file');
  const extended: readonly Wrong[] =
    file === undefined
      ? []
      : [{ text: `cannot tell: it extends a service of ${String(file.value)}`, line: file.line, severity: 'high' }];
  const settings = DECISIVE.flatMap((setting) => {
    const items = service.items(setting);
    return (items.length > 0 ? items : [service.get(setting)]).flatMap((field) =>
      field?.unknown === undefined ? [] : decidedElsewhere(setting, field.unknown, field.line, 'high'),
    );
  });
  const volumes = service.items('volumes').flatMap(({ value, line, unknown = '' }) => {
    const source = isObject(value) ? unknown : (/^(?:\$\{[^}]*\}|[^:])*/.exec(unknown)?.[0] ?? '');
    return source.includes('$') ? decidedElsewhere('the source of a volume', source, line, 'medium') : [];
  });
  const addresses = service.items('ports').flatMap(({ value, line, unknown = '' }) => {
    const address = isObject(value) ? unknown : publishedAddress(unknown);
    return address.includes('$') ? decidedElsewhere('the address of a port', address, line, 'medium') : [];
  });
  return [...extended, ...settings, ...volumes, ...addresses];
}

/** Options can map a named volume to a host directory. */
function unreadVolume(volume: Service): readonly Wrong[] {
  const device = volume.get('driver_opts', 'device');
  // An NFS export.
  if (String(device?.value ?? '').startsWith(':')) return [];
  const options = volume.get('driver_opts', 'o');
  const hidden = options?.unknown?.split(',').find((option) => option.startsWith('$'));
  return [
    ...(device?.unknown === undefined ? [] : decidedElsewhere('its device', device.unknown, device.line, 'medium')),
    ...(options === undefined || hidden === undefined
      ? []
      : decidedElsewhere('an option of its mount', hidden, options.line, 'medium')),
  ];
}

function decidedElsewhere(setting: string, text: string, line: number, severity: Severity): readonly Wrong[] {
  return [{ text: `cannot tell: ${setting} is ${text}`, line, severity }];
}

function evaluate({ services, volumes, includes, beside }: Compose) {
  const evidence = [
    ...beside.map(({ place, text }) => ({ place, text: `cannot tell: ${text}`, severity: 'high' as const })),
    ...includes.map(({ text, line }) => ({
      place: 'include',
      text: `cannot tell: it includes ${text}`,
      line,
      severity: 'high' as const,
    })),
    ...services.flatMap((service) => unread(service).map((found) => ({ place: `service ${service.name}`, ...found }))),
    ...volumes.flatMap((volume) => unreadVolume(volume).map((found) => ({ place: `volume ${volume.name}`, ...found }))),
  ];
  return judge(evidence, gravestOf(evidence));
}

export const COMPOSE_UNREAD: Omit<ComposeCheck, 'id'> = {
  severity: 'high',
  title: 'Everything that decides what a service may do is in this file',
  failure: 'Some settings of services are in places that the audit did not read',
  why: 'Another file, or a variable of .env or of the shell, can make a service privileged. A part that the audit did not read has not passed.',
  fix: 'Audit what Compose makes of it: docker compose config | docker-tls audit --compose -',
  evaluate,
};
