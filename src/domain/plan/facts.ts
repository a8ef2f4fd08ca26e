/** Owns what is known of a host before anything is planned: the parser of what the facts script printed. */

import { DockerTlsError, printable } from '../../errors/errors.ts';
import { type Distribution, distributionOf } from '../dockerd/packages.ts';
import { CURRENT_LINK, LOCK, SERVER_FILES, STATE, TLS_DIRECTORY } from '../dockerd/paths.ts';
import { apiAnswers, parseSections } from '../dockerd/sections.ts';
import type { KeptSettings } from '../settings.ts';
import { type PathState, parseHostFiles, parseModes } from './host-files.ts';
import { parseGenerations, parseSnapshot, parseState } from './host-state.ts';
import { parseJson, parseProperties } from './lenient.ts';

const SERVER_KEY = `${CURRENT_LINK}/${SERVER_FILES.key}`;

/** A socket unit, other than ours, that hands its sockets to the daemon. */
export type SocketFacts = {
  readonly unit: string;
  readonly active: string;
  /** Addresses as systemd has them: a path, or `ADDRESS:PORT`. */
  readonly listens: readonly string[];
};

export type ServiceState = { readonly load: string; readonly active: string; readonly enabled: string };

export type RunningContainer = {
  readonly id: string;
  readonly name: string;
  /** Its restart policy, or `swarm`. */
  readonly restart: string;
  /** Paths of the host that it mounts. */
  readonly mounts: readonly string[];
};

/** One generation as the host's own records have it. Times are ISO 8601. */
export type HostGeneration = {
  readonly number: number;
  readonly at: string;
  readonly by: string;
  readonly reason: string;
  /** The host's settings when it was made; absent where they cannot be read. */
  readonly settings?: KeptSettings | undefined;
};

/** The host's own records, /var/lib/docker-tls/state.json. */
export type HostState = {
  readonly schema: 1;
  /** Its name in the store that changed it last. */
  readonly name: string;
  readonly generation: number;
  readonly generations: readonly HostGeneration[];
  /** Every path under our care, in the order in which it is put in place. */
  readonly managed: readonly { readonly kind: string; readonly path: string }[];
};

/** One line of a snapshot on the host: what a path was, and which file of the snapshot holds it. */
export type SnapshotEntry = {
  readonly kind: string;
  readonly mode: string;
  readonly owner: string;
  readonly path: string;
  /** Absolute path of the copy on the host. */
  readonly copy: string;
  readonly content?: string;
  readonly to?: string;
};

export type HostFacts = {
  readonly uid: number;
  /** The host's clock, in milliseconds since 1970. */
  readonly clockMs: number;
  readonly hostname: string;
  readonly fqdn: string;
  readonly system: string;
  readonly os: string;
  readonly distribution: Distribution | undefined;
  /** undefined: no systemd runs here. */
  readonly systemd: number | undefined;
  readonly addresses: readonly { readonly interface: string; readonly address: string }[];
  readonly docker: {
    readonly binary: string;
    /** For instance `20.10.24`; empty when it could not be found out. */
    readonly version: string;
    readonly unit: ServiceState & {
      readonly fragment: string;
      readonly dropIns: readonly string[];
      readonly environmentFiles: readonly string[];
      /** Unit files of the daemon that systemd has not read yet. */
      readonly unread: readonly string[];
    };
    readonly socket: ServiceState;
    readonly tlsSocket: ServiceState;
    readonly otherSockets: readonly SocketFacts[];
    /** Units that docker.service does not start without. */
    readonly needs: readonly { readonly unit: string; readonly load: string }[];
    /** The daemon's own socket on the host; empty when there is none. */
    readonly apiSocket: string;
    /** A unit of docker's snap. */
    readonly snap: string | undefined;
    readonly cmdline: readonly string[];
    /** The daemon answered over its local socket. */
    readonly answers: boolean;
    /** It runs and does not even refuse an answer there, or has no such socket. */
    readonly silent: boolean;
    /** Where dockerd finds the programs that it may need to start: absolute paths. */
    readonly programs: readonly string[];
    /** It said which containers run; a plugin for authorization may keep that from us. */
    readonly listsContainers: boolean;
    readonly liveRestore: boolean;
    readonly swarm: boolean;
    /** The daemon that answers on the local socket is a rootless one. */
    readonly answersRootless: boolean;
    /** Rootless daemons of users: their unit or their socket. */
    readonly rootless: readonly { readonly user: string; readonly path: string }[];
    /** Log drivers that the running daemon has; empty when it did not say. */
    readonly logDrivers: readonly string[];
    /** Files of its settings that were edited after it had started. */
    readonly edited: readonly string[];
    readonly containers: readonly RunningContainer[];
  };
  readonly files: ReadonlyMap<string, PathState>;
  /** Files of settings that are links: the path that they lead to in the end, by their own. */
  readonly leads: ReadonlyMap<string, string>;
  /** Mode and owner of our key on the host, if it is there. */
  readonly serverKey: string | undefined;
  /** Mode and owner, such as `700 0:0`, of the directories that may hold credentials. */
  readonly directories: ReadonlyMap<string, string>;
  readonly state: HostState | undefined;
  readonly origin: ReadonlyMap<string, SnapshotEntry>;
  readonly generations: ReadonlyMap<number, ReadonlyMap<string, SnapshotEntry>>;
  readonly lock: { readonly who: string; readonly sinceMs: number; readonly expiresMs: number } | undefined;
  readonly transaction: string | undefined;
  /** Lines of `ss -Hltnp`: whatever listens on TCP. */
  readonly listeners: readonly string[];
  /** Free kilobytes by mount point. */
  readonly disk: readonly { readonly mount: string; readonly freeKb: number }[];
  /** In the order of mounting: of two at the same path the last one counts. */
  readonly mounts: readonly { readonly path: string; readonly readOnly: boolean }[];
  /** Free kilobytes of /run/systemd; undefined when they are not known. */
  readonly runFreeKb: number | undefined;
  readonly firewall: {
    readonly iptables: string;
    readonly ufw: string | undefined;
    readonly nft: string;
    readonly firewalld: string | undefined;
  };
};

/**
 * Reads the output of the facts script. Whatever a host prints, the result has this shape; only an output without its end is
 * refused (E_FACTS, exit 4). Texts are as the host gave them: `printable` before showing.
 */
export function parseFacts(stdout: Buffer): HostFacts {
  const sections = parseSections(stdout, 'facts');
  if (sections === undefined) {
    throw unreadable('the host did not tell its facts to the end');
  }
  const bytes = new Map(sections.map(({ name, content }) => [name, content]));
  const raw = new Map(sections.map(({ name, content }) => [name, content.toString('utf8')]));
  const get = (name: string): string => (raw.get(name) ?? '').replace(/\n$/, '');
  const lines = (name: string): string[] =>
    get(name)
      .split('\n')
      .filter((line) => line !== '');
  const section = (name: string): Buffer => bytes.get(name) ?? Buffer.alloc(0);
  const files = parseHostFiles(get('paths'), section('attributes'), section('contents'));
  if (files === undefined) throw unreadable('a file of the host changed while it was read');
  const modes = parseModes(section('modes'));
  const leads = new Map(
    [...raw].filter(([name]) => name.startsWith('leads:')).map(([name, to]) => [name.slice(6), to]),
  );
  const unit = parseProperties(get('unit'));
  const answers = apiAnswers(sections);
  const answer = (path: string): string => answers.get(path)?.body ?? '';
  const info = parseJson(answer('/info'));
  const version = parseJson(answer('/version'));
  const swarm = (info.Swarm ?? {}) as Record<string, unknown>;
  const security = Array.isArray(info.SecurityOptions) ? info.SecurityOptions.map(String) : [];
  return {
    uid: Number(get('uid')),
    clockMs: Number(get('clock').replace(/N$/, '')) * 1000,
    hostname: get('hostname').trim(),
    fqdn: get('fqdn').trim(),
    system: get('system'),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(get('os'))?.[1] ?? '',
    distribution: distributionOf(get('os')),
    systemd: get('systemd') === '' ? undefined : Number(/systemd (\d+)/.exec(get('systemd'))?.[1] ?? 0),
    addresses: get('addresses')
      .split('\n')
      .map((line) => /^\d+:\s+(\S+)\s+inet6?\s+([0-9a-fA-F.:]+)/.exec(line))
      .filter((match) => match !== null)
      .map((match) => ({ interface: (match[1] as string).replace(/@.*/, ''), address: match[2] as string })),
    docker: {
      binary: get('dockerd').trim(),
      version: String(version.Version ?? /version ([0-9][^,\s]*)/.exec(get('dockerd-version'))?.[1] ?? ''),
      unit: {
        ...serviceState(unit),
        fragment: unit.FragmentPath ?? '',
        dropIns: lines('drop-ins'),
        environmentFiles: lines('environment-files'),
        unread: lines('unread'),
      },
      socket: serviceState(parseProperties(get('docker-socket'))),
      tlsSocket: serviceState(parseProperties(get('tls-socket'))),
      otherSockets: parseSockets(get('sockets')),
      needs: get('needs')
        .split('\n\n')
        .map(parseProperties)
        .flatMap(({ Id, LoadState }) => (Id ? [{ unit: printable(Id), load: LoadState ?? '' }] : [])),
      apiSocket: get('api-socket'),
      snap: raw.get('snap'),
      cmdline: get('cmdline').split('\n'),
      answers: typeof info.ID === 'string' || typeof info.ServerVersion === 'string',
      // Without a program to ask with there is no answer at all, not even one that none came.
      silent:
        unit.ActiveState === 'active' &&
        (get('api-socket') === '' || [...answers.values()].some(({ status }) => status === 0)),
      programs: lines('programs'),
      listsContainers: answers.get('/containers/json')?.status === 200,
      liveRestore: info.LiveRestoreEnabled === true,
      swarm:
        typeof swarm.LocalNodeState === 'string' && swarm.LocalNodeState !== 'inactive' && swarm.LocalNodeState !== '',
      answersRootless: security.some((option) => option.includes('rootless')),
      rootless: parseRootless(get('rootless')),
      logDrivers: logDrivers(info.Plugins),
      edited: lines('edited'),
      containers: parseContainers(answer('/containers/json'), get('restart-policies')),
    },
    files,
    leads,
    serverKey: modes.get(SERVER_KEY),
    directories: new Map([...modes].filter(([path]) => path !== SERVER_KEY)),
    state: parseState(files.get(`${STATE}/state.json`)),
    origin: parseSnapshot(files, `${STATE}/origin`),
    generations: parseGenerations(files),
    lock: parseLock(files.get(LOCK)),
    transaction: raw.get('transaction'),
    listeners: get('listeners')
      .split('\n')
      .filter((line) => line.trim() !== ''),
    disk: parseDisk(get('disk')),
    mounts: parseMounts(get('mounts')),
    runFreeKb: parseDisk(get('run-space'))[0]?.freeKb,
    firewall: { iptables: get('iptables'), ufw: raw.get('ufw'), nft: get('nft'), firewalld: raw.get('firewalld') },
  };
}

/** There is a dockerd, and a unit that starts it. */
export function hasDocker({ docker }: HostFacts): boolean {
  return docker.binary !== '' && docker.unit.load !== 'not-found' && docker.unit.load !== '';
}

/** Where a file of settings really lies: that is what a change edits, so that the administrator's link stays as it is. */
export function realPath(facts: HostFacts, path: string): string {
  return facts.leads.get(path) ?? path;
}

/** The text of a file, through a link of settings; undefined where there is none. */
export function fileText(facts: HostFacts, path: string): string | undefined {
  const state = facts.files.get(realPath(facts, path));
  return state?.kind === 'file' ? state.content : undefined;
}

/** The certificates that lie on the host, in the generation in force or in another directory of credentials. */
export function installedCredentials(
  facts: HostFacts,
  directory: number | 'current' = 'current',
): { ca: string; cert: string } | undefined {
  const ca = fileText(facts, `${TLS_DIRECTORY}/${directory}/${SERVER_FILES.ca}`);
  const cert = fileText(facts, `${TLS_DIRECTORY}/${directory}/${SERVER_FILES.cert}`);
  return ca === undefined || cert === undefined ? undefined : { ca, cert };
}

/** What `df -Pk` printed. */
/** `PATH OPTIONS`, blanks and the like in octal (proc(5)). */
function parseMounts(text: string): HostFacts['mounts'] {
  return text
    .split('\n')
    .filter((line) => line !== '')
    .map((line) => {
      const [path = '', options = ''] = line.split(' ');
      return {
        path: path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
        readOnly: options.split(',').includes('ro'),
      };
    });
}

function parseDisk(text: string): { mount: string; freeKb: number }[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length >= 6)
    .map((columns) => ({ mount: columns.slice(5).join(' '), freeKb: Number(columns[3]) }));
}

function unreadable(message: string): DockerTlsError {
  return new DockerTlsError({
    code: 'E_FACTS',
    message,
    hints: ['try again; if it stays so, look at the host itself: its /bin/sh, od, stat and find are needed'],
  });
}

function serviceState(properties: Record<string, string>): ServiceState {
  return {
    load: properties.LoadState ?? '',
    active: properties.ActiveState ?? '',
    enabled: properties.UnitFileState ?? '',
  };
}

function parseSockets(text: string): SocketFacts[] {
  return text
    .split('\n\n')
    .filter((block) => block.trim() !== '')
    .map((block) => {
      const properties = parseProperties(block);
      return {
        unit: properties.Id ?? '',
        active: properties.ActiveState ?? '',
        listens: [...block.matchAll(/(?:^Listen=|\) )(\S+)(?= \()/gm)].map((match) => match[1] as string),
      };
    });
}

function logDrivers(plugins: unknown): string[] {
  const log: unknown = (plugins as { Log?: unknown } | undefined)?.Log;
  return Array.isArray(log) ? log.map(String) : [];
}

function parseContainers(text: string, policies: string): RunningContainer[] {
  const restart = new Map(
    [...policies.matchAll(/\/([0-9a-f]+)\/hostconfig\.json:"RestartPolicy":\{"Name":"([a-z-]*)"/g)].map((match) => [
      match[1] as string,
      match[2] as string,
    ]),
  );
  let list: unknown;
  try {
    list = JSON.parse(text);
  } catch {
    return [];
  }
  if (!Array.isArray(list)) return [];
  return list.map((entry: { Id?: unknown; Names?: unknown; Mounts?: unknown; Labels?: unknown }) => {
    const id = String(entry.Id ?? '');
    const name = Array.isArray(entry.Names) ? String(entry.Names[0] ?? '') : '';
    return {
      id,
      name: printable(name.replace(/^\//, '')) || id.slice(0, 12),
      restart: isTask(entry.Labels) ? 'swarm' : restart.get(id) || 'no',
      mounts: mountSources(entry.Mounts),
    };
  });
}

/** Swarm starts another one in its place, whatever its restart policy. */
function isTask(labels: unknown): boolean {
  return typeof labels === 'object' && labels !== null && 'com.docker.swarm.task.id' in labels;
}

function mountSources(mounts: unknown): string[] {
  return Array.isArray(mounts)
    ? mounts.map((mount: { Source?: unknown }) => printable(String(mount?.Source ?? '')))
    : [];
}

/** One for each user, however many traces there are. */
function parseRootless(text: string): { user: string; path: string }[] {
  const found = text
    .split('\n')
    .map((line) => /^(\S+) (\/.+)$/.exec(line))
    .filter((match) => match !== null)
    .map((match) => ({ user: printable(match[1] as string), path: printable(match[2] as string) }));
  return [...new Map(found.map((one) => [one.user, one])).values()];
}

function parseLock(state: PathState | undefined): HostFacts['lock'] {
  if (state?.kind !== 'file') return undefined;
  const values = parseProperties(state.content);
  return {
    who: printable(values.who ?? 'somebody', 200),
    sinceMs: Number(values.since ?? 0) * 1000,
    expiresMs: Number(values.expires ?? 0) * 1000,
  };
}
