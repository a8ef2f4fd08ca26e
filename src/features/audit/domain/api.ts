/** Parser of Docker's API answers: lenient and typed; tolerates missing and odd fields. */

import type { ApiAnswers } from '../../../core/domain/dockerd/sections.ts';
import { at, entriesAt, type Json, listAt, parseJson, textAt, textsAt } from '../../../core/domain/json.ts';
import { secretsOfCommand, secretsOfPair } from './files/secrets.ts';

/** A container from the API's inspect. Without its environment, which often contains secrets: only words about those are kept. */
export type ContainerFact = ReturnType<typeof containerFact>;
export type Mount = ContainerFact['mounts'][number];
export type ImageFact = ReturnType<typeof imageFact>;

export function ulimitText(name: string, limit: Json): string {
  return `${name}=${numberAt(limit, 'Soft')}:${numberAt(limit, 'Hard')}`;
}

/** `devices`: result of volumeDevices. */
function containerFact(value: Json, devices: ReadonlyMap<string, string>) {
  const host = at(value, 'HostConfig');
  return {
    id: textAt(value, 'Id'),
    name: textAt(value, 'Name').replace(/^\//, '') || textAt(value, 'Id').slice(0, 12),
    image: textAt(value, 'Config', 'Image'),
    imageId: textAt(value, 'Image'),
    running: at(value, 'State', 'Running') === true,
    /** Host process ID of the first process; 0 if the container is stopped. */
    pid: numberAt(value, 'State', 'Pid'),
    /** As configured (image included); empty means root. */
    user: textAt(value, 'Config', 'User'),
    privileged: at(host, 'Privileged') === true,
    capAdd: textsAt(host, 'CapAdd'),
    capDrop: textsAt(host, 'CapDrop'),
    securityOpt: textsAt(host, 'SecurityOpt'),
    /**
     * /proc and /sys have no masked or read-only paths: Docker's `systempaths=unconfined`, which the options do not show, or Podman's
     * `unmask=all`.
     */
    bareSystemPaths:
      [at(host, 'MaskedPaths'), at(host, 'ReadonlyPaths')].some(
        (paths) => Array.isArray(paths) && paths.length === 0,
      ) || textsAt(host, 'SecurityOpt').includes('unmask=all'),
    readonlyRoot: at(host, 'ReadonlyRootfs') === true,
    /** Bytes; 0 means no limit. */
    memory: numberAt(host, 'Memory'),
    cpuShares: numberAt(host, 'CpuShares'),
    nanoCpus: numberAt(host, 'NanoCpus'),
    cpuQuota: numberAt(host, 'CpuQuota'),
    pidsLimit: numberAt(host, 'PidsLimit'),
    networkMode: textAt(host, 'NetworkMode'),
    networks: entriesAt(value, 'NetworkSettings', 'Networks').map(([name]) => name),
    pidMode: textAt(host, 'PidMode'),
    ipcMode: textAt(host, 'IpcMode'),
    utsMode: textAt(host, 'UTSMode'),
    usernsMode: textAt(host, 'UsernsMode'),
    cgroupParent: textAt(host, 'CgroupParent'),
    restart: textAt(host, 'RestartPolicy', 'Name'),
    restartMax: numberAt(host, 'RestartPolicy', 'MaximumRetryCount'),
    devices: listAt(host, 'Devices').map((device) => textAt(device, 'PathOnHost')),
    /** As `nofile=1024:2048`: soft, hard. Includes the daemon's defaults. */
    ulimits: listAt(host, 'Ulimits').map((limit) => ulimitText(textAt(limit, 'Name'), limit)),
    mounts: listAt(value, 'Mounts').map((mount) => {
      const device = textAt(mount, 'Type') === 'volume' ? devices.get(textAt(mount, 'Name')) : undefined;
      return {
        type: device === undefined ? textAt(mount, 'Type') : 'bind',
        source: device ?? textAt(mount, 'Source'),
        destination: textAt(mount, 'Destination'),
        writable: at(mount, 'RW') === true,
        propagation: textAt(mount, 'Propagation'),
      };
    }),
    ports: entriesAt(value, 'NetworkSettings', 'Ports').flatMap(([container, bindings]) =>
      listAt(bindings).map((binding) => ({
        container,
        hostIp: textAt(binding, 'HostIp'),
        hostPort: Number(textAt(binding, 'HostPort')) || 0,
      })),
    ),
    health: textAt(value, 'State', 'Health', 'Status'),
    apparmor: textAt(value, 'AppArmorProfile'),
    processLabel: textAt(value, 'ProcessLabel'),
    /** Words about literal secrets in its settings. */
    secrets: secretsOfSettings(value),
  };
}

function secretsOfSettings(value: Json): readonly string[] {
  const variables = textsAt(value, 'Config', 'Env').flatMap((variable) => {
    const cut = variable.indexOf('=');
    return cut < 0 ? [] : secretsOfPair(variable.slice(0, cut), variable.slice(cut + 1));
  });
  const labels = entriesAt(value, 'Config', 'Labels').flatMap(([name, label]) =>
    secretsOfPair(name, String(label)).map((words) => `label ${words}`),
  );
  const command = [...textsAt(value, 'Config', 'Entrypoint'), ...textsAt(value, 'Config', 'Cmd')].join(' ');
  return [...variables, ...labels, ...secretsOfCommand(command).map((words) => `its command: ${words}`)];
}

function imageFact(value: Json, history: Json) {
  const id = textAt(value, 'Id');
  const test = textsAt(value, 'Config', 'Healthcheck', 'Test');
  return {
    id,
    name: textsAt(value, 'RepoTags')[0] ?? textsAt(value, 'RepoDigests')[0] ?? id.slice(0, 19),
    /** `2026-11-30`; empty if unknown. */
    created: textAt(value, 'Created').slice(0, 10),
    healthCheck: test.length > 0 && test[0] !== 'NONE',
    user: textAt(value, 'Config', 'User'),
    /** Commands of the layers, oldest first. */
    history: listAt(history)
      .map((layer) => textAt(layer, 'CreatedBy'))
      .reverse(),
  };
}

function networkFact(value: Json) {
  return {
    name: textAt(value, 'Name'),
    driver: textAt(value, 'Driver'),
    options: new Map(
      entriesAt(value, 'Options').flatMap(([key, option]) => (typeof option === 'string' ? [[key, option]] : [])),
    ),
  };
}

/** Host directory or device by the name of a local volume, from its options (`--opt o=bind --opt device=/etc`). */
function volumeDevices(volumes: readonly Json[]): ReadonlyMap<string, string> {
  return new Map(
    volumes.flatMap((volume) => {
      const device = textAt(volume, 'Options', 'device');
      return device.startsWith('/') ? [[textAt(volume, 'Name'), device] as const] : [];
    }),
  );
}

/** Podman's service answers most of Docker's API, and names itself in /version. */
export function isPodman(answers: ApiAnswers): boolean {
  const version = parseJson(answers.get('/version')?.body ?? '');
  return listAt(version, 'Components').some((component) => textAt(component, 'Name') === 'Podman Engine');
}

/**
 * Parses the API's answers. `answers`: status and body by path, from src/features/audit/host/audit/api.sh: at most 300 containers and 200
 * images (config.5 reports more). Undefined without an answer to `/info`.
 */
export function engineFacts(answers: ApiAnswers) {
  function get(path: string): Json {
    const answer = answers.get(path);
    return answer?.status === 200 ? parseJson(answer.body) : undefined;
  }
  const info = get('/info');
  if (textAt(info, 'ServerVersion') === '') return undefined;
  const devices = volumeDevices([...listAt(get('/volumes'), 'Volumes'), ...listAt(get('/volumes/*'))]);
  const containers: ContainerFact[] = listAt(get('/containers/*')).map((one) => containerFact(one, devices));
  const images: ImageFact[] = listAt(get('/images/*')).map((image) => imageFact(image, undefined));
  const execs: { container: string; privileged: boolean; user: string }[] = [];
  for (const [path, answer] of answers) {
    if (answer.status !== 200) continue;
    if (/^\/containers\/[0-9a-f]+\/json$/.test(path)) containers.push(containerFact(parseJson(answer.body), devices));
    const image = /^(\/images\/sha256:[0-9a-f]+)\/json$/.exec(path);
    if (image !== null) images.push(imageFact(parseJson(answer.body), get(`${image[1]}/history`)));
    if (path.startsWith('/exec/')) {
      const value = parseJson(answer.body);
      if (at(value, 'Running') !== true) continue;
      execs.push({
        container: textAt(value, 'ContainerID'),
        privileged: at(value, 'ProcessConfig', 'privileged') === true,
        user: textAt(value, 'ProcessConfig', 'user'),
      });
    }
  }
  const secrets = get('/secrets');
  // Podman's equivalent of the network bridge is podman.
  const named = !isPodman(answers)
    ? containers
    : containers.map((one) => ({
        ...one,
        networks: one.networks.map((name) => (name === 'podman' ? 'bridge' : name)),
      }));
  return {
    info,
    version: get('/version'),
    containers: named.sort((a, b) => (a.name < b.name ? -1 : 1)),
    images: images.sort((a, b) => (a.name < b.name ? -1 : 1)),
    /** Full counts, beyond the limit. */
    imageCount: Math.max(listAt(get('/images/json')).length, images.length),
    containerCount: Math.max(listAt(get('/containers/json?all=1')).length, containers.length),
    networks: listAt(get('/networks')).map(networkFact),
    swarm: get('/swarm'),
    secretCount: Array.isArray(secrets) ? secrets.length : undefined,
    execs,
  };
}

export function numberAt(value: Json, ...path: readonly string[]): number {
  const found = at(value, ...path);
  return typeof found === 'number' && Number.isFinite(found) ? found : 0;
}
