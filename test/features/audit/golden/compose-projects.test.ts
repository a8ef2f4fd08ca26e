/** Models of Compose projects beside those of Docker Compose itself (`compose/record.mjs`). */

import { readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { expect, test } from 'vitest';
import { judgeCompose } from '../../../../src/features/audit/domain/files/compose.ts';
import { type Compose, parseCompose, type Service } from '../../../../src/features/audit/domain/files/compose-model.ts';
import type { Neighbours } from '../../../../src/features/audit/domain/files/compose-project.ts';
import { projectFiles } from '../../../../src/features/audit/domain/files/project-files.ts';

const HERE = join(import.meta.dirname, 'compose');
const { models } = JSON.parse(readFileSync(join(HERE, 'models.json'), 'utf8'));

const PROJECTS = readFileSync(join(HERE, 'projects.txt'), 'utf8')
  .split(/^### /m)
  .slice(1)
  .map((project) => {
    const [head = '', ...parts] = project.split(/^=== /m);
    const files = new Map(
      parts.map((part) => [part.slice(0, part.indexOf('\n')), part.slice(part.indexOf('\n') + 1)] as const),
    );
    return { head: head.trim(), named: /: ((?:\S+\.yaml ?)+)$/.exec(head.trim())?.[1]?.split(' '), files };
  });

function modelOf({ named, files }: (typeof PROJECTS)[number]): Compose {
  const neighbours: Neighbours = {
    root: '/project',
    read: (path) => {
      const text = files.get(posix.normalize(path));
      return text === undefined ? { reason: 'it does not exist' } : { text };
    },
  };
  const text = (path: string) => ({ path, text: files.get(path) ?? '' });
  return parseCompose(named?.map(text) ?? projectFiles(text('compose.yaml'), neighbours, ':'), neighbours);
}

/** The same text as a file of its own. */
function alone(text: string): Compose {
  return parseCompose([{ path: 'compose.yaml', text }], {
    root: '/project',
    read: () => ({ reason: 'no other file' }),
  });
}

const SCALARS = [
  ...['image', 'user', 'hostname', 'domainname', 'privileged', 'read_only', 'network_mode', 'pid', 'ipc', 'uts'],
  ...['userns_mode', 'cgroup', 'cgroup_parent', 'oom_kill_disable', 'oom_score_adj', 'pids_limit', 'cpu_shares'],
];
const LISTS = ['cap_add', 'cap_drop', 'security_opt', 'profiles', 'device_cgroup_rules', 'tmpfs', 'dns'];
const PAIRS = [['environment'], ['labels'], ['sysctls'], ['build', 'args'], ['logging', 'options']];

/** Comparable settings of a service: values as text, short forms of mounts, ports and devices as the long ones. */
function settingsOf(service: Service): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  const add = (key: string, value: unknown) => {
    if (value !== undefined && value !== '' && !(Array.isArray(value) && value.length === 0)) found[key] = value;
  };
  for (const key of SCALARS) add(key, text(service.get(key)?.value));
  for (const key of LISTS)
    add(
      key,
      [service.get(key)?.value]
        .flat()
        .filter((one) => one !== undefined)
        .map(String),
    );
  for (const path of PAIRS)
    add(
      path.join('.'),
      service
        .pairs(...path)
        .map(({ name, value }) => `${name.replaceAll('$$', '$')}=${value}`)
        .sort(),
    );
  for (const key of ['entrypoint', 'command']) add(key, words(service.get(key)?.value));
  add(
    'volumes',
    service.items('volumes').map(({ text: short, value, directory }) => mount(short, value, directory)),
  );
  add(
    'ports',
    service.items('ports').map(({ text: short, value }) => port(short, value)),
  );
  add(
    'devices',
    service.items('devices').map(({ text: short, value }) => device(short, value)),
  );
  for (const key of ['networks', 'depends_on'])
    add(
      key,
      service
        .items(key)
        .map(({ text: one }) => one.replace(/=.*/, ''))
        .filter((one) => one !== 'default')
        .sort(),
    );
  add('build.network', text(service.get('build', 'network')?.value));
  add('logging.driver', text(service.get('logging', 'driver')?.value));
  for (const key of ['memory', 'cpus', 'pids'])
    add(`limits.${key}`, bytes(service.get('deploy', 'resources', 'limits', key)?.value));
  add('mem_limit', bytes(service.get('mem_limit')?.value));
  for (const key of ['nproc', 'nofile']) add(key, JSON.stringify(service.get('ulimits', key)?.value));
  const health = service.get('healthcheck', 'test')?.value;
  add('healthcheck', typeof health === 'string' ? ['CMD-SHELL', health] : health);
  add('healthcheck.off', text(service.get('healthcheck', 'disable')?.value));
  return found;
}

function text(value: unknown): string | undefined {
  return value === undefined || value === null || value === false || value === 'false' ? undefined : String(value);
}

function words(value: unknown): unknown {
  return typeof value === 'string' ? value.split(' ') : (value ?? undefined);
}

function bytes(value: unknown): string | undefined {
  const [, number, unit = ''] = /^([\d.]+)([kmg]?)b?$/i.exec(String(value ?? '')) ?? [];
  if (number === undefined) return undefined;
  return String(Number(number) * 1024 ** ['', 'k', 'm', 'g'].indexOf(unit.toLowerCase()));
}

function mount(short: string, value: unknown, directory: string): string {
  if (typeof value === 'object' && value !== null) {
    const { source = '', target, read_only: readOnly = false } = value as Record<string, unknown>;
    return `${absolute(String(source), directory)} ${target} ${readOnly}`;
  }
  const [source = '', target, options = ''] = short.split(':');
  if (target === undefined) return ` ${source} false`;
  return `${absolute(source, directory)} ${target} ${options.split(',').includes('ro')}`;
}

function absolute(source: string, directory: string): string {
  if (source.startsWith('~')) return `/home/user${source.slice(1)}`;
  return source.startsWith('.') ? posix.resolve('/project', directory, source) : source;
}

function port(short: string, value: unknown): string {
  const {
    host_ip: ip = '',
    published = '',
    target,
    protocol = 'tcp',
  } = typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
  if (target !== undefined) return `${ip} ${published} ${target} ${protocol}`;
  const [rest = '', shortProtocol = 'tcp'] = short.split('/');
  const [, address = '', host = '', container] = /^(?:(?:(\[.*\]|[^:]*):)?([^:]*):)?([^:]*)$/.exec(rest) ?? [];
  return `${address.replace(/[[\]]/g, '')} ${host} ${container} ${shortProtocol}`;
}

function device(short: string, value: unknown): string {
  const [source = '', target = source, permissions = 'rwm'] = short.split(':');
  if (typeof value !== 'object' || value === null) return `${source} ${target} ${permissions}`;
  const long = value as Record<string, unknown>;
  return `${long.source} ${long.target} ${long.permissions}`;
}

const model = (compose: Compose) =>
  Object.fromEntries(compose.services.map((service) => [service.name, settingsOf(service)]));

test('there are 60 projects, and Compose read each', () => {
  expect(PROJECTS).toHaveLength(60);
  expect(Object.keys(models)).toEqual(PROJECTS.map(({ head }) => head));
});

test.each(PROJECTS)('$head: the same model', (project) => {
  expect(model(modelOf(project))).toEqual(model(alone(JSON.stringify(models[project.head]))));
});

/** Verdicts and their services. Not compared: `$$` in names, and checks of what stands in the file itself (unread, 4.10) or that Compose adds (icc). */
const verdicts = (compose: Compose) =>
  judgeCompose(compose).map(({ id, state, evidence }) => [
    id,
    state,
    [...new Set(evidence.map(({ place }) => place))].sort(),
  ]);

test.each(PROJECTS)('$head: the same verdicts', (project) => {
  const recorded = alone(JSON.stringify(models[project.head]));
  const known = (list: ReturnType<typeof verdicts>) => list.filter(([id]) => !/\.(unread|icc|4\.10)$/.test(String(id)));
  expect(known(verdicts(modelOf(project)))).toEqual(known(verdicts(recorded)));
});
