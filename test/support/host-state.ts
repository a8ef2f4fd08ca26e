/** Snapshots of a lab host, as comparable data: files, units, containers, daemon. */

import { X509Certificate } from 'node:crypto';
import { connect as tlsConnect } from 'node:tls';
import { type Engine, engineBehind, engineOf, HAPROXY_UNIT } from './engine.ts';
import type { LabHost } from './lab.ts';
import { asRoots, forHost, isOwn, ownRoots } from './own-docker.ts';

/** One line per item: files by `path`, units by `unit NAME`, timers, containers, the daemon's own information. */
export type HostSnapshot = ReadonlyMap<string, string>;

/** Files that others write while docker-tls does nothing. */
const RESTLESS = [
  '/var/lib/docker',
  '/var/lib/containerd',
  '/var/lib/containers',
  '/var/lib/systemd',
  '/var/lib/dbus',
  '/var/lib/private',
  '/var/lib/apt',
  '/var/lib/dpkg',
];

const script = ({ command, pid, socket }: Engine, roots: string, restless: readonly string[]): string => `
export LC_ALL=C
find /etc /var/lib ${roots} \\( ${[...RESTLESS, ...restless].map((path) => `-path ${path}`).join(' -o ')} \\) -prune -o -printf 'file %p\\t%y %m %U:%G %l\\n'
find /etc /var/lib/docker-tls ${roots} ${roots && '-path /home/rooty/.local/share/docker -prune -o'} -type f -exec sha256sum {} + 2>/dev/null | sed 's/^\\([0-9a-f]*\\)  /sum \\1 /'
for path in /run/docker-tls*; do [ ! -e "$path" ] || printf 'file %s\\tin /run\\n' "$path"; done
if command -v systemctl >/dev/null; then systemctl list-units --all --plain --no-legend --type=service,socket,timer,target,path | awk '{print "unit " $1 "\\t" $2, $3, $4}'
# Of all others, files and links say what is enabled; systemd takes half a second to say it.
systemctl list-unit-files --no-legend 'docker*' 'containerd*' 'podman*' 'ssh*' | awk '{print "unit-file " $1 "\\t" $2}'
find /run/systemd/system /run/systemd/system.control /usr/lib/systemd /usr/local/lib/systemd \\( -name 'session-*' -o -name 'user-*' -o -name 'user@*' \\) -prune -o -printf 'file %p\\t%y %m %U:%G %l\\n' 2>/dev/null; fi
${command} ps --format '{{.Names}}' | sort | while read -r name; do
  printf 'container %s\\t%s\\n' "$name" "$(${command} inspect -f '{{.State.Pid}} {{.State.StartedAt}} {{.RestartCount}}' "$name")"
done
[ ${command} = podman ] || printf 'daemon live-restore\\t%s\\n' "$(docker info -f '{{.LiveRestoreEnabled}}')"
pid=${pid}
[ "$pid" = 0 ] || printf 'daemon words\\t%s\\n' "$(tr '\\0' ' ' <"/proc/$pid/cmdline")"
# dockerd makes its socket anew at each start, where systemd does not hand it one.
${roots === '' ? `! command -v systemctl >/dev/null || [ ! -S ${socket} ] || { [ ${command} = docker ] && ! grep -qs fd:// "/proc/$pid/cmdline"; } || printf 'socket inode\\t%s\\n' "$(stat -c %i ${socket})"` : ''}
`;

/** Units that come and go with logins, containers and time. */
const PASSING =
  /^(unit|unit-file) (session-|user@|user-|run-|docker-[0-9a-f]{12}|ldconfig|systemd-(sysusers|tmpfiles|random-seed|journal|logind|hostnamed|update|coredump|machine|nsresourced|mountfsd|userdb|bsod|pcr|sysext|factory|battery|hibernate|networkd|resolved)|getty|apt-|dpkg-|e2scrub|fstrim|sshd@|ssh@|motd|logrotate|libpod-|netavark-|podman\.service|man-db|emergency|rescue|polkit|dbus-org)/;

export async function snapshot(host: LabHost): Promise<HostSnapshot> {
  const { roots, restless } = ownRoots(host);
  const text = asRoots(host, await host.must(forHost(host, script(engineOf(host), roots, restless))));
  const found = new Map<string, string>();
  for (const line of text.split('\n')) {
    const sum = /^sum ([0-9a-f]+) (.*)$/.exec(line);
    if (sum) {
      const name = `file ${sum[2]}`;
      found.set(name, `${found.get(name) ?? ''} ${(sum[1] as string).slice(0, 16)}`);
      continue;
    }
    const tab = line.indexOf('\t');
    if (tab > 0 && !PASSING.test(line)) found.set(line.slice(0, tab), line.slice(tab + 1));
  }
  return found;
}

/** Differences, one line each: `- gone`, `+ new`, `~ changed`. `ignore` matches names. */
export function compare(before: HostSnapshot, after: HostSnapshot, ignore?: RegExp): string[] {
  const lines: string[] = [];
  for (const name of [...new Set([...before.keys(), ...after.keys()])].sort()) {
    const [old, now] = [before.get(name), after.get(name)];
    if (old === now || ignore?.test(name)) continue;
    if (old === undefined) lines.push(`+ ${name}: ${now}`);
    else if (now === undefined) lines.push(`- ${name}: ${old}`);
    else lines.push(`~ ${name}: ${old} => ${now}`);
  }
  return lines;
}

/** Everything that must never be left: `what path`. */
export function leftovers(state: HostSnapshot): string[] {
  return [...state.keys()].filter((name) =>
    /\.docker-tls-(new|old|tmp)|^file \/var\/lib\/docker-tls\/txn|^file \/run\/docker-tls|docker-tls-recover|docker-tls-undo/.test(
      name,
    ),
  );
}

export const generationOf = (state: HostSnapshot): number =>
  Number(/ (\d+)$/.exec(state.get('file /etc/docker/tls/current') ?? '')?.[1] ?? 0);

/** The newest generation of a host's records. */
function newest(state: HostSnapshot): number {
  return Math.max(
    0,
    ...[...state.keys()].map((name) => Number(/docker-tls\/generations\/(\d+)\/manifest$/.exec(name)?.[1] ?? 0)),
  );
}

/**
 * Reasons why `after` is not exactly the next generation after `before`; empty: it is. `credentials`: the expected directory of
 * credentials, if not its own.
 */
export function faultsOfNew(
  host: Pick<LabHost, 'suite'>,
  before: HostSnapshot,
  after: HostSnapshot,
  credentials?: number,
  engine = engineOf(host),
): string[] {
  const systemd = [...before.keys()].some((name) => name.startsWith('unit '));
  // If the unit passes no socket to dockerd, dockerd opens it.
  const handed = isOwn(host) || engine.command === 'podman' || /fd:\/\//.test(after.get('daemon words') ?? '');
  const here = (name: string): boolean => handed || !/docker-tls(\.socket|-closed\.service)$/.test(name);
  const found: string[] = [];
  const generation = newest(after);
  if (generation <= newest(before)) found.push(`generation ${generation} after ${newest(before)}`);
  const lies = generationOf(after);
  if (lies !== (credentials ?? generation)) found.push(`credentials ${lies} in generation ${generation}`);
  const directory = `file /etc/docker/tls/${lies}`;
  const expected: Record<string, RegExp> = {
    [directory]: /^d 700 0:0/,
    [`${directory}/ca.pem`]: /^f 444 0:0/,
    [`${directory}/server-cert.pem`]: /^f 444 0:0/,
    [`${directory}/server-key.pem`]: /^f 400 0:0/,
    [`file /var/lib/docker-tls/generations/${generation}/manifest`]: /^f 600 0:0/,
    'file /var/lib/docker-tls/origin/manifest': /^f 600 0:0/,
    'file /var/lib/docker-tls/state.json': /^f 600 0:0/,
    ...(systemd
      ? Object.fromEntries(engine.units.filter(here).map((unit) => [`unit ${unit}`, /loaded active running/]))
      : {}),
    'daemon words': engine.tls,
  };
  for (const [name, form] of Object.entries(expected))
    if (!form.test(after.get(name) ?? '')) found.push(`${name} is ${after.get(name) ?? 'missing'}`);
  const ours = systemd ? engine.files.filter(here) : ['file /etc/default/docker'];
  const listen = /^file \/etc\/docker\/docker-tls-listen\.sh$/;
  for (const name of ours) if (!after.has(name)) found.push(`${name} is missing`);
  // A change of the listener takes the other one's away.
  const behind = engineBehind(host);
  const either = [...behind.files, ...behind.units.map((unit) => `unit ${unit}`), ...engineOf(host).files];
  const allowed =
    /^(file \/etc\/docker(\/tls(\/.*)?)?|file \/var\/lib\/docker-tls(\/.*)?|file \/etc\/systemd\/system\/(docker\.service\.d|sockets\.target\.wants)|unit(-file)? docker-tls(\.socket|-closed\.service|-haproxy\.service|-podman\.(socket|service)|-role@(ci)?\.socket)|file \/etc\/systemd\/system\/(sockets\.target\.wants\/)?docker-tls-role@(ci)?\.socket|file \/run\/docker-tls|daemon words)$/;
  found.push(
    ...compare(before, after).filter(
      (line) =>
        !allowed.test(line.slice(2).split(': ')[0] as string) &&
        !listen.test(line.slice(2).split(': ')[0] as string) &&
        !ours.includes(line.slice(2).split(': ')[0] as string) &&
        !(engine.files.includes(HAPROXY_UNIT) || before.has(HAPROXY_UNIT)
          ? either.includes(line.slice(2).split(': ')[0] as string)
          : false),
    ),
  );
  return found;
}

/** The certificate served on the TLS port, as PEM; undefined without an answer. */
export function served(host: LabHost, port = 2376): Promise<string | undefined> {
  return new Promise((resolve) => {
    const socket = tlsConnect({ host: host.address, port, rejectUnauthorized: false, timeout: 5000 }, () => {
      const raw = socket.getPeerCertificate().raw;
      socket.destroy();
      resolve(raw === undefined ? undefined : new X509Certificate(raw).toString());
    });
    socket
      .on('error', () => resolve(undefined))
      .on('timeout', () => {
        socket.destroy();
        resolve(undefined);
      });
  });
}

/**
 * Waits inside the host until no change is in progress: no lock, no records, no timer, and the boot is complete. systemd must have
 * forgotten its units too, but a change that is kept does not wait for that. Returns the seconds waited, or undefined after `withinS`.
 */
export async function settled(host: LabHost, withinS: number): Promise<number | undefined> {
  const { command, service } = engineOf(host);
  // Podman's service is ours, and exists only while the host is set up.
  const down = `${command === 'podman' ? `[ -e /etc/systemd/system/${service} ] && ` : ''}! systemctl -q is-active ${service}`;
  const { exit, out } = await host.exec(
    forHost(
      host,
      `
    began=$(date +%s%N); end=$(($(date +%s) + ${withinS}))
    busy() {
      # HAProxy comes back a second after it died.
      if [ -e /etc/systemd/system/docker-tls-haproxy.service ] && ! systemctl -q is-active docker-tls-haproxy.service; then return 0; fi
      if ! command -v systemctl >/dev/null; then ! docker version >/dev/null 2>&1; return; fi
      [ -n "$(systemctl list-units --all --plain --no-legend 'docker-tls-undo-*' docker-tls-recover.service)" ] ||
        { ${down}; } || [ -n "$(systemctl list-jobs --no-legend)" ]
    }
    while [ -e /run/docker-tls.lock ] || [ -e /var/lib/docker-tls/txn ] || busy; do
      [ "$(date +%s)" -lt "$end" ] || exit 1
      sleep 0.1
    done
    echo $(( ($(date +%s%N) - began) / 1000000 ))`,
    ),
  );
  return exit === 0 ? Number(out.trim()) / 1000 : undefined;
}
