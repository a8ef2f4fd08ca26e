/** Unread parts of a Compose project: missing or remote files, and variables known only at start. */

import { fieldsOf, isObject } from '../../../../core/domain/json.ts';
import { gravestOf, judge, type Severity } from '../check.ts';
import type { ComposeCheck } from './compose-check.ts';
import { splitVolume } from './compose-merge.ts';
import type { Compose, Service, Spot } from './compose-model.ts';
import { filesOf, isKnownType } from './compose-mounts.ts';
import { evidenceOf, publishedAddress, seccompProfiles, type Wrong } from './compose-service.ts';

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
  'device_cgroup_rules',
  'security_opt',
  'user',
  'use_api_socket',
];

function unread(service: Service, compose: Compose): readonly Wrong[] {
  const settings = DECISIVE.flatMap((setting) => {
    const items = service.items(setting);
    return (items.length > 0 ? items : [service.get(setting)]).flatMap((field) =>
      field?.unknown === undefined ? [] : decidedElsewhere(setting, field.unknown, field.at, 'high'),
    );
  });
  const volumes = service.items('volumes').flatMap(({ value, shown, at, unknown = '' }) => {
    const source = isObject(value) ? unknown : (splitVolume(unknown)[0] ?? '');
    const hidden = source.includes('$') ? decidedElsewhere('the source of a volume', source, at, 'medium') : [];
    const { type } = fieldsOf(value);
    return isObject(value) && !isKnownType(type)
      ? [
          ...hidden,
          ...decidedElsewhere('the type of a volume', String(fieldsOf(shown).type ?? 'missing'), at, 'medium'),
        ]
      : hidden;
  });
  const files = filesOf(service, compose).flatMap(({ item, what, name, file }) => [
    ...(item.unknown === undefined ? [] : decidedElsewhere(`the name of a ${what}`, item.words, item.at, 'medium')),
    ...(file?.unknown === undefined
      ? []
      : decidedElsewhere(`the file of the ${what} ${name}`, file.unknown, file.at, 'medium')),
  ]);
  const addresses = service.items('ports').flatMap(({ value, at, unknown = '' }) => {
    const address = isObject(value) ? unknown : publishedAddress(unknown);
    return address.includes('$') ? decidedElsewhere('the address of a port', address, at, 'medium') : [];
  });
  const profiles = seccompProfiles(service).flatMap(({ path, shown, at }): readonly Wrong[] => {
    const file = compose.neighbours.read(path);
    return 'reason' in file
      ? [{ text: `cannot tell: its seccomp profile ${shown}: ${file.reason}`, at, severity: 'high' }]
      : [];
  });
  return [...settings, ...volumes, ...files, ...addresses, ...profiles];
}

/** Options can map a named volume to a host directory. */
function unreadVolume(volume: Service): readonly Wrong[] {
  const device = volume.get('driver_opts', 'device');
  // An NFS export.
  if (String(device?.value ?? '').startsWith(':')) return [];
  const options = volume.get('driver_opts', 'o');
  const hidden = options?.unknown?.split(',').find((option) => option.startsWith('$'));
  return [
    ...(device?.unknown === undefined ? [] : decidedElsewhere('its device', device.unknown, device.at, 'medium')),
    ...(options === undefined || hidden === undefined
      ? []
      : decidedElsewhere('an option of its mount', hidden, options.at, 'medium')),
  ];
}

function decidedElsewhere(setting: string, text: string, at: Spot, severity: Severity): readonly Wrong[] {
  return [{ text: `cannot tell: ${setting} is ${text}`, at, severity }];
}

function evaluate(compose: Compose) {
  const evidence = [
    ...compose.unread.map((part) => ({ ...part, severity: 'high' as const })),
    ...compose.services.flatMap((service) =>
      unread(service, compose).map((found) => evidenceOf(`service ${service.name}`, found)),
    ),
    ...compose.volumes.flatMap((volume) =>
      unreadVolume(volume).map((found) => evidenceOf(`volume ${volume.name}`, found)),
    ),
  ];
  return judge(evidence, gravestOf(evidence));
}

export const COMPOSE_UNREAD: Omit<ComposeCheck, 'id'> = {
  severity: 'high',
  title: 'Everything that decides what a service may do was read',
  failure: 'Some settings of services were not read',
  why: 'Another file, or a variable of the shell that starts Compose, can make a service privileged. A part that the audit did not read has not passed.',
  fix: 'Audit what Compose makes of it: docker compose config | docker-tls audit --compose -',
  evaluate,
};
