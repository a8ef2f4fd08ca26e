/** Facts of a host: the parser of what the facts script printed. */

import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { KIND_NAMES } from '../../host/scripts.ts';
import { distributionOf } from '../dockerd/packages.ts';
import { SERVER_FILES, userPlaces } from '../dockerd/paths.ts';
import { apiAnswers, parseSections } from '../dockerd/sections.ts';
import { parseProperties } from '../dockerd/unit.ts';
import { at, fieldsOf, listAt, parseJson, textAt, textsAt } from '../json.ts';
import { type PathState, parseHostFiles, parseModes } from './host-files.ts';
import { kindOf } from './host-kind.ts';
import { parseGenerations, parseSnapshot, parseState } from './host-state.ts';

const FIRST_BOOT = ['flatcar'] as const;

/** Directories of a user that units and the commands in them can name without quotes. */
const PLAIN_HOME = /^(\/[\w.@+-]+)+$/;

/** Texts are as the host gave them: `printable` before showing. */
export type HostFacts = ReturnType<typeof parseFacts>;

/** Reads the output of the facts script. Whatever a host prints, the result has this shape; only an output without its end is refused (E_FACTS, exit 4). */
export function parseFacts(stdout: Buffer) {
  const sections = parseSections(stdout, 'facts');
  if (sections === undefined) throw unreadable('the host did not send all of its facts');
  const bytes = new Map(sections.map(({ name, content }) => [name, content]));
  const raw = new Map(sections.map(({ name, content }) => [name, content.toString('utf8')]));
  const get = (name: string): string => (raw.get(name) ?? '').replace(/\n$/, '');
  const lines = (name: string): string[] => linesOf(get(name));
  const section = (name: string): Buffer => bytes.get(name) ?? Buffer.alloc(0);
  // In their own user namespace, where their daemon runs, a user is root.
  const plain = PLAIN_HOME.test(get('home')) && /^\/run\/user\/\d+$/.test(get('run'));
  const home = plain ? get('home') : '';
  const kind = KIND_NAMES.find((name) => name === get('kind'));
  const places = home === '' ? kindOf({ kind }).places : userPlaces(home, get('run'));
  const ownerOf = (owner: string): string => (home !== '' && owner === get('owner') ? '0:0' : owner);
  const files = parseHostFiles(get('paths'), section('attributes'), section('contents'), ownerOf);
  if (files === undefined) throw unreadable('a file of the host changed while it was read');
  const modes = parseModes(section('modes'), ownerOf);
  const serverKey = `${places.current}/${SERVER_FILES.key}`;
  const leads = new Map(
    [...raw].filter(([name]) => name.startsWith('leads:')).map(([name, to]) => [name.slice(6), to]),
  );
  const unit = parseProperties(get('unit'));
  const answers = apiAnswers(sections);
  const answer = (path: string): string => answers.get(path)?.body ?? '';
  const info = fieldsOf(parseJson(answer('/info')));
  const version = fieldsOf(parseJson(answer('/version')));
  const addresses = parseAddresses(get('addresses'));
  return {
    uid: Number(get('uid')),
    /** Where the daemon's files are; those of root's where a user's own have names that units cannot hold. */
    places,
    /** Of a user: whether their systemd, and with it their daemon, runs without a login of theirs, or may if they ask for it (yes, may, no); and the file by which it does. */
    linger: raw.has('lingers') ? { state: get('lingers'), file: get('linger-file') } : undefined,
    /** The host's clock, in milliseconds since 1970. */
    clockMs: Number(get('clock').replace(/N$/, '')) * 1000,
    hostname: get('hostname').trim(),
    fqdn: get('fqdn').trim(),
    system: get('system'),
    os: /^PRETTY_NAME="?([^"\n]*)/m.exec(get('os'))?.[1] ?? '',
    distribution: distributionOf(get('os')),
    /** A system that is configured at first boot. */
    image: FIRST_BOOT.find((id) => new RegExp(`^ID="?${id}"?$`, 'm').test(get('os'))),
    /** A program to edit files with; empty: there is none. */
    editor: (raw.get('editor') ?? 'vi').trim().replace(/^.*\//, ''),
    /** Undefined: none that docker-tls knows. */
    kind,
    /** The version of systemd; undefined where it does not run. */
    systemd: get('systemd') === '' ? undefined : Number(/systemd (\d+)/.exec(get('systemd'))?.[1] ?? 0),
    addresses,
    docker: {
      binary: get('dockerd').trim(),
      runsBinary: raw.has('runs'),
      /** For instance `20.10.24`; empty when it could not be found out. */
      version: String(version.Version ?? /version ([0-9][^,\s]*)/.exec(get('dockerd-version'))?.[1] ?? ''),
      unit: {
        ...serviceState(unit),
        fragment: unit.FragmentPath ?? '',
        dropIns: lines('drop-ins'),
        environmentFiles: lines('environment-files'),
        /** Unit files of the daemon that systemd has not read yet. */
        unread: lines('unread'),
        /** systemd starts and stops it when asked (RefuseManualStart, RefuseManualStop); one that is not there yet it will. */
        canStart: unit.CanStart !== 'no' || unit.LoadState === 'not-found',
        canStop: unit.CanStop !== 'no',
        /** Conditions and assertions of its unit files that are not met now (of systemd-analyze: `docker.service: ConditionPathExists=/x failed.`, and a summary). */
        unmet: [...get('unmet').matchAll(/((?:Condition|Assert)\w+=.*) failed\.$/gm)].map(([, one = '']) =>
          printable(one),
        ),
      },
      socket: serviceState(parseProperties(get('docker-socket'))),
      /** What the socket unit of that name listens on: of dockerd's, or podman.socket. */
      socketListens: parseSockets(get('docker-socket')).flatMap(({ listens }) => listens),
      tlsSocket: serviceState(parseProperties(get('tls-socket'))),
      /** What ours holds, whatever its file says by now. */
      tlsSocketListens: parseSockets(get('tls-socket')).flatMap(({ listens }) => listens),
      /** Socket units, other than ours, that hand their sockets to the daemon. */
      otherSockets: parseSockets(get('sockets')),
      /** Units that docker.service does not start without. */
      needs: get('needs')
        .split('\n\n')
        .map(parseProperties)
        .flatMap(({ Id, LoadState }) => (Id ? [{ unit: printable(Id), load: LoadState ?? '' }] : [])),
      /** The daemon's own socket on the host; empty when there is none. */
      apiSocket: get('api-socket'),
      /** A unit of docker's snap. */
      snap: raw.get('snap'),
      /** A vendor's system whose own tools configure dockerd. */
      vendor: raw.has('vendor') ? printable(get('vendor')) : undefined,
      cmdline: get('cmdline').split('\n'),
      /** The daemon answered over its local socket. */
      answers: typeof info.ID === 'string' || typeof info.ServerVersion === 'string',
      /** It runs and does not even refuse an answer there, or has no such socket. Without a program to ask with, nothing is known. */
      silent:
        unit.ActiveState === 'active' &&
        (get('api-socket') === '' || [...answers.values()].some(({ status }) => status === 0)),
      /** Where dockerd finds the programs that it may need to start: absolute paths. */
      programs: lines('programs'),
      /** The list of containers could be read; an authorization plugin may refuse it. */
      listsContainers: answers.get('/containers/json')?.status === 200,
      liveRestore: info.LiveRestoreEnabled === true,
      swarm: !['', 'inactive'].includes(textAt(info, 'Swarm', 'LocalNodeState')),
      /** The daemon that answers on the local socket is a rootless one. */
      answersRootless: textsAt(info, 'SecurityOptions').some((option) => option.includes('rootless')),
      /** Rootless daemons of users: their unit or their socket. */
      rootless: parseRootless(get('rootless')),
      /** Log drivers that the running daemon has; empty when it did not say. */
      logDrivers: textsAt(info, 'Plugins', 'Log'),
      /** Files of its settings that were edited after it had started; undefined where that is not known. */
      edited: raw.has('edited') ? lines('edited') : undefined,
      /** What the daemon says of itself (`docker info`). */
      info,
      /** It has read its configuration anew since daemon.json was edited. */
      reloaded: [...answers].some(([path, { body }]) => path.startsWith('/events?') && body.includes('"reload"')),
      containers: parseContainers(answer('/containers/json'), get('restart-policies')),
    },
    files,
    /** Files of settings that are links: the path that they lead to in the end, by their own. */
    leads: leads as ReadonlyMap<string, string>,
    /** Mode and owner of our key on the host, if it is there. */
    serverKey: modes.get(serverKey),
    /** Mode and owner, such as `700 0:0`, of the directories that may hold credentials. */
    directories: new Map([...modes].filter(([path]) => path !== serverKey)),
    state: parseState(files.get(`${places.state}/state.json`)),
    origin: parseSnapshot(files, `${places.state}/origin`, ownerOf),
    generations: parseGenerations(files, places.state, ownerOf),
    lock: parseLock(files.get(places.lock)),
    transaction: raw.get('transaction'),
    /** Nothing on the host rolls that change back by itself before the next boot: the process that waited for it was killed. */
    abandoned: raw.has('abandoned'),
    /** The rollback of a change has failed, and waits for the daemon, which ran before. */
    rollbackFailed: raw.has('rollback-failed'),
    /** Lines of `ss -Hltnp`: whatever listens on TCP. */
    listeners: lines('listeners').filter((line) => line.trim() !== ''),
    disk: parseDisk(get('disk')),
    inodes: parseInodes(get('inodes')),
    /** In the order of mounting: of two at the same path the last one counts. */
    mounts: parseMounts(get('mounts')),
    /** Free kilobytes of /run/systemd; undefined when they are not known. */
    runFreeKb: parseDisk(get('run-space'))[0]?.freeKb,
    /** New connections can be held back at the firewall for a moment. */
    holds: lines('listeners').length > 0 && (get('iptables').trim() !== '' || raw.has('nft')),
    firewall: {
      iptables: get('iptables'),
      ufw: raw.get('ufw'),
      nft: get('nft'),
      firewalld: raw.get('firewalld'),
      interfaces: [...new Set(addresses.map((one) => one.interface))],
    },
  };
}

/** There is a dockerd, and a unit that starts it; of Podman the unit is ours, and comes with the first change. */
export function hasDocker({ kind, docker }: HostFacts): boolean {
  return docker.binary !== '' && (kind === 'podman' || (docker.unit.load !== 'not-found' && docker.unit.load !== ''));
}

/** Where a file of settings really is: that is what a change edits, so that the administrator's link stays as it is. */
export function realPath(facts: HostFacts, path: string): string {
  return facts.leads.get(path) ?? path;
}

/** The text of a file, through a link of settings; undefined where there is none. */
export function fileText(facts: HostFacts, path: string): string | undefined {
  const state = facts.files.get(realPath(facts, path));
  return state?.kind === 'file' ? state.content : undefined;
}

/** The certificates that are stored on the host, in the active generation or in another directory of credentials. */
export function installedCredentials(
  facts: HostFacts,
  directory: number | 'current' = 'current',
): { ca: string; cert: string } | undefined {
  const ca = fileText(facts, `${facts.places.tls}/${directory}/${SERVER_FILES.ca}`);
  const cert = fileText(facts, `${facts.places.tls}/${directory}/${SERVER_FILES.cert}`);
  return ca === undefined || cert === undefined ? undefined : { ca, cert };
}

function linesOf(text: string): string[] {
  return text.split('\n').filter((line) => line !== '');
}

/** Both groups. */
function matches(text: string, pattern: RegExp): [string, string][] {
  return Array.from(text.matchAll(pattern), ([, first = '', second = '']) => [first, second]);
}

/** `PATH OPTIONS`, blanks and the like in octal (proc(5)). */
function parseMounts(text: string): { path: string; readOnly: boolean }[] {
  return linesOf(text).map((line) => {
    const [path = '', options = ''] = line.split(' ');
    return {
      path: path.replace(/\\([0-7]{3})/g, (_, octal: string) => String.fromCharCode(Number.parseInt(octal, 8))),
      readOnly: options.split(',').includes('ro'),
    };
  });
}

/** What `df -Pk` printed. */
function parseDisk(text: string): { mount: string; freeKb: number }[] {
  return text
    .split('\n')
    .slice(1)
    .map((line) => line.trim().split(/\s+/))
    .filter((columns) => columns.length >= 6)
    .map((columns) => ({ mount: columns.slice(5).join(' '), freeKb: Number(columns[3]) }));
}

/** What `df -Pi` printed, without file systems that count none. */
function parseInodes(text: string): { mount: string; free: number }[] {
  const counted = text.split('\n').filter((line) => !/^\S+\s+[0-]\s/.test(line));
  return parseDisk(counted.join('\n')).map(({ mount, freeKb }) => ({ mount, free: freeKb }));
}

function unreadable(message: string): DockerTlsError {
  return new DockerTlsError('E_FACTS', message, {
    hints: ['try again; if it stays so, look at the host itself: its /bin/sh, stat and find are needed'],
  });
}

function serviceState(properties: Record<string, string>): { load: string; active: string; enabled: string } {
  return {
    load: properties.LoadState ?? '',
    active: properties.ActiveState ?? '',
    enabled: properties.UnitFileState ?? '',
  };
}

function parseSockets(text: string): { unit: string; active: string; listens: string[] }[] {
  const blocks = text.split('\n\n').filter((block) => block.trim() !== '');
  return blocks.map((block) => {
    const { Id = '', ActiveState = '' } = parseProperties(block);
    // Addresses as systemd has them: a path, or `ADDRESS:PORT`.
    const listens = Array.from(block.matchAll(/(?:^Listen=|\) )(\S+)(?= \()/gm), ([, address = '']) => address);
    return { unit: Id, active: ActiveState, listens };
  });
}

function parseContainers(text: string, policies: string) {
  const restart = new Map(matches(policies, /\/([0-9a-f]+)\/hostconfig\.json:"RestartPolicy":\{"Name":"([a-z-]*)"/g));
  return listAt(parseJson(text)).map((entry) => {
    const id = textAt(entry, 'Id');
    const name = textsAt(entry, 'Names')[0] ?? '';
    return {
      id,
      name: printable(name.replace(/^\//, '')) || id.slice(0, 12),
      /** Its restart policy, or `swarm`, which starts another one in its place whatever the policy. */
      restart: at(entry, 'Labels', 'com.docker.swarm.task.id') !== undefined ? 'swarm' : restart.get(id) || 'no',
      /** Paths of the host that it mounts. */
      mounts: listAt(entry, 'Mounts').map((mount) => printable(textAt(mount, 'Source'))),
    };
  });
}

/** One for each user, however many traces there are. */
function parseRootless(text: string): { user: string; path: string }[] {
  const found = matches(text, /^(\S+) (\/.+)$/gm).map(([user, path]) => ({
    user: printable(user),
    path: printable(path),
  }));
  return [...new Map(found.map((one) => [one.user, one])).values()];
}

function parseLock(state: PathState | undefined): { who: string; sinceMs: number; expiresMs: number } | undefined {
  if (state?.kind !== 'file') return undefined;
  const values = parseProperties(state.content);
  return {
    who: printable(values.who ?? 'another run', 200),
    sinceMs: Number(values.since ?? 0) * 1000,
    expiresMs: Number(values.expires ?? 0) * 1000,
  };
}

/** What `ip -o addr` prints. */
function parseAddresses(text: string): { readonly interface: string; readonly address: string }[] {
  const lines = text.matchAll(/^\d+:\s+(\S+)\s+inet6?\s+([0-9a-fA-F.:]+)/gm);
  return Array.from(lines, ([, name = '', address = '']) => ({ interface: name.replace(/@.*/, ''), address }));
}
