/** Parser of the facts script's output. */

import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { distributionOf } from '../dockerd/install-hints.ts';
import { SERVER_FILES, userPlaces } from '../dockerd/paths.ts';
import { apiAnswers, parseSections } from '../dockerd/sections.ts';
import { parseProperties } from '../dockerd/unit.ts';
import { at, fieldsOf, listAt, parseJson, textAt, textsAt } from '../json.ts';
import { parseDisk, parseInodes, parseMounts } from './disk-facts.ts';
import { type PathState, parseHostFiles, parseModes } from './host-files.ts';
import { KINDS, kindOf, requireKnownKind } from './host-kind.ts';
import { parseGenerations, parseSnapshot, parseState } from './host-state.ts';

const FIRST_BOOT = ['flatcar'] as const;

/** Home directories that units and their commands can name without quotes. */
const PLAIN_HOME = /^(\/[\w.@+-]+)+$/;

/** Texts are unescaped, as the host sent them: pass them through `printable` before showing. */
export type HostFacts = ReturnType<typeof parseFacts>;

/** Parses the output of the facts script. Any output gives this shape; only output without its end marker is refused (E_FACTS, exit 4). */
export function parseFacts(stdout: Buffer) {
  const sections = parseSections(stdout, 'facts');
  if (sections === undefined) throw unreadable('the host did not send all of its facts');
  const bytes = new Map(sections.map(({ name, content }) => [name, content]));
  const raw = new Map(sections.map(({ name, content }) => [name, content.toString('utf8')]));
  const get = (name: string): string => (raw.get(name) ?? '').replace(/\n$/, '');
  const lines = (name: string): string[] => linesOf(get(name));
  const section = (name: string): Buffer => bytes.get(name) ?? Buffer.alloc(0);
  // In the user namespace of a rootless daemon, the user is root.
  const plain = PLAIN_HOME.test(get('home')) && /^\/run\/user\/\d+$/.test(get('run'));
  const home = plain ? get('home') : '';
  const kind = [...KINDS.entries.keys()].find((name) => name === get('kind'));
  const places = home === '' ? kindOf({ kind }).places : userPlaces(home, get('run'));
  const ownerOf = (owner: string): string => (home !== '' && owner === get('owner') ? '0:0' : owner);
  const files = parseHostFiles(get('paths'), section('attributes'), section('contents'), ownerOf);
  if (files === undefined) throw unreadable('a file of the host changed while it was read');
  const modes = parseModes(section('modes'), ownerOf);
  const record = `${places.state}/state.json`;
  const state = parseState(record, files.get(record));
  requireKnownKind(state?.managed);
  const serverKey = `${places.current}/${SERVER_FILES.key}`;
  const leads = new Map(
    [...raw].filter(([name]) => name.startsWith('leads:')).map(([name, to]) => [name.slice(6), to]),
  );
  const unit = parseProperties(get('unit'));
  const answers = apiAnswers(sections);
  const answer = (path: string): string => answers.get(path)?.body ?? '';
  const info = fieldsOf(parseJson(answer('/info')));
  return {
    uid: Number(get('uid')),
    /** Paths of the daemon's files; root's paths if the user's home has a name that units cannot hold. */
    places,
    /**
     * Rootless only. `state`: whether the user's systemd, and so the daemon, runs without a login: `yes`, `may` (on request), `no`. `file`
     * enables it.
     */
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
    /** An editor on the host; empty if none was found. */
    editor: (raw.get('editor') ?? 'vi').trim().replace(/^.*\//, ''),
    /** Undefined: a service manager that docker-tls does not know. */
    kind,
    /** Version of systemd; undefined if it does not run. */
    systemd: get('systemd') === '' ? undefined : Number(/systemd (\d+)/.exec(get('systemd'))?.[1] ?? 0),
    addresses: parseAddresses(get('addresses')),
    docker: {
      binary: get('dockerd').trim(),
      runsBinary: raw.has('runs'),
      /** For instance `20.10.24`; empty if unknown. */
      version: String(info.ServerVersion ?? /version ([0-9][^,\s]*)/.exec(get('dockerd-version'))?.[1] ?? ''),
      unit: {
        ...serviceState(unit),
        fragment: unit.FragmentPath ?? '',
        dropIns: lines('drop-ins'),
        environmentFiles: lines('environment-files'),
        /** Unit files of the daemon that systemd has not loaded in their current form. */
        unread: lines('unread'),
        /** systemd accepts manual start and stop (RefuseManualStart, RefuseManualStop). True for a unit that is still to be created. */
        canStart: unit.CanStart !== 'no' || unit.LoadState === 'not-found',
        canStop: unit.CanStop !== 'no',
        /**
         * Unmet conditions and assertions of its unit files (systemd-analyze prints `docker.service: ConditionPathExists=/x failed.` and a
         * summary).
         */
        unmet: [...get('unmet').matchAll(/((?:Condition|Assert)\w+=.*) failed\.$/gm)].map(([, one = '']) =>
          printable(one),
        ),
      },
      socket: serviceState(parseProperties(get('docker-socket'))),
      /** Listen addresses of docker.socket or podman.socket. */
      socketListens: parseSockets(get('docker-socket')).flatMap(({ listens }) => listens),
      tlsSocket: serviceState(parseProperties(get('tls-socket'))),
      /** Listen addresses that our socket holds now, whatever its unit file says. */
      tlsSocketListens: parseSockets(get('tls-socket')).flatMap(({ listens }) => listens),
      /** Other socket units that pass their sockets to the daemon. */
      otherSockets: parseSockets(get('sockets')),
      /** Units that docker.service requires to start. */
      needs: get('needs')
        .split('\n\n')
        .map(parseProperties)
        .flatMap(({ Id, LoadState }) => (Id ? [{ unit: printable(Id), load: LoadState ?? '' }] : [])),
      /** The daemon's local socket; empty if there is none. */
      apiSocket: get('api-socket'),
      /** A unit of docker's snap. */
      snap: raw.get('snap'),
      /** A vendor's system whose own tools configure dockerd. */
      vendor: raw.has('vendor') ? printable(get('vendor')) : undefined,
      cmdline: get('cmdline').split('\n'),
      /** The daemon answered over its local socket. */
      answers: typeof info.ID === 'string' || typeof info.ServerVersion === 'string',
      /**
       * The daemon runs, but gives no HTTP answer on its local socket, or has no such socket. Unknown (false) without a program to ask
       * with.
       */
      silent:
        unit.ActiveState === 'active' &&
        (get('api-socket') === '' || [...answers.values()].some(({ status }) => status === 0)),
      /** Absolute paths of programs that dockerd may start. */
      programs: lines('programs'),
      /** The list of containers was readable; an authorization plugin may refuse it. */
      listsContainers: answers.get('/containers/json')?.status === 200,
      liveRestore: info.LiveRestoreEnabled === true,
      swarm: !['', 'inactive'].includes(textAt(info, 'Swarm', 'LocalNodeState')),
      /** The daemon on the local socket is rootless. */
      answersRootless: textsAt(info, 'SecurityOptions').some((option) => option.includes('rootless')),
      /** Rootless daemons of users, found by unit or socket. */
      rootless: parseRootless(get('rootless')),
      /** Log drivers of the running daemon; empty if it reported none. */
      logDrivers: textsAt(info, 'Plugins', 'Log'),
      /** Settings files edited after the daemon started; undefined if unknown. */
      edited: raw.has('edited') ? lines('edited') : undefined,
      /** Output of `docker info`. */
      info,
      /** The daemon reloaded its configuration after the last edit of daemon.json. */
      reloaded: [...answers].some(([path, { body }]) => path.startsWith('/events?') && body.includes('"reload"')),
      containers: parseContainers(answer('/containers/json'), get('restart-policies')),
    },
    /** Sections by their names, for those of features. */
    texts: raw as ReadonlyMap<string, string>,
    files,
    /** Settings files that are symlinks: link path → final target. */
    leads: leads as ReadonlyMap<string, string>,
    /** Mode and owner of our key on the host, if it exists. */
    serverKey: modes.get(serverKey),
    /** Mode and owner, such as `700 0:0`, of directories that may hold credentials. */
    directories: new Map([...modes].filter(([path]) => path !== serverKey)),
    state,
    origin: parseSnapshot(files, `${places.state}/origin`, ownerOf),
    generations: parseGenerations(files, places.state, ownerOf),
    lock: parseLock(files.get(places.lock)),
    transaction: raw.get('transaction'),
    /** The process that would roll the change back was killed: only the next boot rolls it back. */
    abandoned: raw.has('abandoned'),
    /** The rollback failed and waits for the daemon to run, as it did before the change. */
    rollbackFailed: raw.has('rollback-failed'),
    /** TCP listeners: lines of `ss -Hltnp`. */
    listeners: lines('listeners').filter((line) => line.trim() !== ''),
    disk: parseDisk(get('disk')),
    inodes: parseInodes(get('inodes')),
    /** In mount order: of two mounts at one path, the last counts. */
    mounts: parseMounts(get('mounts')),
    /** Free kilobytes of /run/systemd; undefined if unknown. */
    runFreeKb: parseDisk(get('run-space'))[0]?.freeKb,
    /** The firewall can delay new connections during a restart. */
    holds: lines('listeners').length > 0 && (get('iptables').trim() !== '' || raw.has('nft')),
  };
}

/** A dockerd and a unit that starts it exist. That of an engine apart is ours, and comes with the first change. */
export function hasDocker({ kind, docker }: HostFacts): boolean {
  return (
    docker.binary !== '' &&
    (kindOf({ kind }).engine.apart || (docker.unit.load !== 'not-found' && docker.unit.load !== ''))
  );
}

/** Target of a settings file that is a symlink: changes edit the target and keep the administrator's link. */
export function realPath(facts: HostFacts, path: string): string {
  return facts.leads.get(path) ?? path;
}

/** Text of a file, through a settings symlink; undefined if there is no regular file. */
export function fileText(facts: HostFacts, path: string): string | undefined {
  const state = facts.files.get(realPath(facts, path));
  return state?.kind === 'file' ? state.content : undefined;
}

/** Certificates stored on the host, of the active generation or of another credentials directory. */
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

/** Pairs of the pattern's two groups. */
function matches(text: string, pattern: RegExp): [string, string][] {
  return Array.from(text.matchAll(pattern), ([, first = '', second = '']) => [first, second]);
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
    // Addresses in systemd's form: a path, or `ADDRESS:PORT`.
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
      /** Restart policy, or `swarm`: a swarm replaces the container whatever the policy. */
      restart: at(entry, 'Labels', 'com.docker.swarm.task.id') !== undefined ? 'swarm' : restart.get(id) || 'no',
      /** Host paths that it mounts. */
      mounts: listAt(entry, 'Mounts').map((mount) => printable(textAt(mount, 'Source'))),
    };
  });
}

/** One entry per user, however many traces were found. */
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

/** Parses `ip -o addr`. */
function parseAddresses(text: string): { readonly interface: string; readonly address: string }[] {
  const lines = text.matchAll(/^\d+:\s+(\S+)\s+inet6?\s+([0-9a-fA-F.:]+)/gm);
  return Array.from(lines, ([, name = '', address = '']) => ({ interface: name.replace(/@.*/, ''), address }));
}
