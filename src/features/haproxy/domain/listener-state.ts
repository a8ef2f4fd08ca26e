/** State of HAProxy on a host: what keeps it from serving clients, for `doctor` and `status`. */

import { installHint } from '../../../core/domain/dockerd/install-hints.ts';
import { LISTENER_SERVICE } from '../../../core/domain/dockerd/paths.ts';
import { parseSections } from '../../../core/domain/dockerd/sections.ts';
import { parseProperties } from '../../../core/domain/dockerd/unit.ts';
import type { HostFacts } from '../../../core/domain/plan/facts.ts';
import { type Login, rootCommand, shellQuote, sudoCommand } from '../../../core/domain/quote.ts';
import { plural } from '../../../core/domain/words.ts';
import type { ListenerState } from '../../../core/seams/listeners.ts';
import { DockerTlsError, printable } from '../../../errors/errors.ts';
import { MAX_FROM_ADDRESS, MAX_TOTAL } from './haproxy-config.ts';
import { haproxyVersion } from './haproxy-version.ts';

/** Failed handshakes within five minutes that are no accident. */
const MANY_HANDSHAKES = 300;

type Around = {
  readonly host: string;
  readonly login: Login;
  readonly distribution: HostFacts['distribution'];
  /** Path of the daemon's local socket. */
  readonly socket: string;
  /** Group that HAProxy's configuration names; undefined: it runs as the daemon's user. */
  readonly group: string | undefined;
  /** Words for systemctl and journalctl: `--user` of a rootless host. */
  readonly whose: readonly string[];
  readonly port: number;
  /** Its sockets for containers that are not active, why, and commands that change it. */
  readonly inactive: readonly { readonly name: string; readonly why: string; readonly commands: readonly string[] }[];
};

/** Undefined if the output is incomplete. */
export function judgeListener(stdout: Buffer, around: Around): ListenerState | undefined {
  const sections = parseSections(stdout, 'listener');
  if (sections === undefined) return undefined;
  const texts = new Map(sections.map(({ name, content }) => [name, content.toString('utf8').trimEnd()]));
  const get = (name: string): string => texts.get(name) ?? '';
  const version = haproxyVersion(get('version'));
  return { title: `HAProxy ${version}`.trimEnd(), problems: problemsOf(get, around), signs: signsOf(get, around) };
}

function problemsOf(get: (name: string) => string, around: Around): DockerTlsError[] {
  const { host, login, distribution, socket, group, whose, port, inactive } = around;
  const problems: DockerTlsError[] = [];
  const add = (message: string, ...hints: readonly string[]) =>
    problems.push(new DockerTlsError('E_LISTENER', message, { where: host, hints }));
  const apply = `docker-tls apply ${shellQuote(host)}`;
  if (get('program') === '')
    add('HAProxy is no longer installed', installHint(login, distribution, ['haproxy']), apply);
  const { LoadState, ActiveState = 'unknown', UnitFileState, Result } = parseProperties(get('service'));
  const runtime = UnitFileState === 'masked-runtime' ? ['--runtime'] : [];
  if (LoadState === 'not-found') add(`${LISTENER_SERVICE} is gone`, apply);
  else if (LoadState === 'masked')
    add(
      `${LISTENER_SERVICE} is masked`,
      rootCommand(login, 'systemctl', ...whose, 'unmask', ...runtime, LISTENER_SERVICE),
      apply,
    );
  else if (ActiveState !== 'active' && ActiveState !== 'reloading')
    add(
      `${LISTENER_SERVICE} is ${printable(ActiveState)}${Result && Result !== 'success' ? ` (${printable(Result)})` : ''}, so no client is accepted`,
      sudoCommand(login, 'systemctl', ...whose, 'restart', LISTENER_SERVICE),
      logOf(login, whose),
    );
  for (const { name, why, commands } of inactive) add(`the socket ${name} is not active: ${why}`, ...commands, apply);
  const [, mode = '', owner = ''] = /^(\d+) \d+ \d+ (\S+)$/.exec(get('socket')) ?? [];
  if (group !== undefined && owner !== '' && (owner !== group || (Number.parseInt(mode, 8) & 0o20) === 0))
    add(
      `HAProxy may not open ${socket}: the socket has the group ${printable(owner)} and mode ${mode}, and HAProxy the group ${group}`,
      apply,
    );
  const connections = Number(get('connections'));
  const look = sudoCommand(login, 'ss', '-tn', 'state', 'established', `sport = :${port}`);
  const most = /^\s*(\d+) (\S+)$/.exec(get('most'));
  if (connections >= MAX_TOTAL)
    add(
      `all ${MAX_TOTAL} connections that HAProxy serves are taken${most ? `, ${most[1]} of them by ${printable(most[2] ?? '')}` : ''}`,
      look,
    );
  else if (Number(most?.[1] ?? 0) >= MAX_FROM_ADDRESS)
    add(`${printable(most?.[2] ?? '')} has ${most?.[1]} connections; HAProxy accepts no more from one address`, look);
  return problems;
}

/** Denials and broken handshakes: health checks and programs that do not matter cause them too. */
function signsOf(get: (name: string) => string, { host, login, socket, whose }: Around): DockerTlsError[] {
  const signs: DockerTlsError[] = [];
  const add = (message: string, ...hints: readonly string[]) =>
    signs.push(new DockerTlsError('E_LISTENER', message, { where: host, hints }));
  const denied = get('denied');
  if (denied !== '')
    add(
      `${/apparmor=/.test(denied) ? 'AppArmor' : 'SELinux'} denies HAProxy something: ${printable(denied, 300)}`,
      ...(/apparmor=/.test(denied)
        ? [`allow it: ${allowedByProfile(socket)}`]
        : [
            `one denial hides the next; let SELinux only log them, and restart ${LISTENER_SERVICE}: ${onlyLogDenied(login)}`,
            `allow what was denied, after you have read it: ${allowDenied(login)}`,
          ]),
    );
  const handshakes = Number(get('handshakes'));
  const flooder = /^\s*(\d+) ([0-9A-Fa-f:.]+)$/.exec(get('flooder'));
  if (handshakes >= MANY_HANDSHAKES)
    add(
      `${plural(handshakes, 'connection')} of the last five minutes ended before a TLS handshake was complete${flooder ? `, ${flooder[1]} of them from ${flooder[2]?.replace(/^::ffff:(?=\d+\.)/, '')}` : ''}`,
      logOf(login, whose),
    );
  return signs;
}

function logOf(login: Login, whose: readonly string[]): string {
  return sudoCommand(login, 'journalctl', ...whose, '-u', LISTENER_SERVICE, '-n', '20', '--no-pager');
}

/** Lines that a profile of AppArmor needs. */
export function allowedByProfile(socket: string): string {
  return `in /etc/apparmor.d/local/haproxy (usr.sbin.haproxy on older systems) the lines "${socket} rw,", "/etc/docker/tls/** r," and "/run/docker-tls-haproxy/** rwl,", then apparmor_parser -r with the file of the profile`;
}

/**
 * Command that adds a policy module for what SELinux has denied HAProxy, or would have denied while it was permissive for HAProxy. semodule
 * may not read a file in the home of another user, where sudo begins.
 */
export function allowDenied(login: Login): string {
  const module = 'docker-tls-haproxy';
  const script = `cd /root && ausearch --input-logs -m avc -c haproxy --raw | audit2allow -M ${module} && semodule -i ${module}.pp && { semanage permissive -d haproxy_t || :; }`;
  return sudoCommand(login, 'sh', '-c', script);
}

/** Command after which SELinux denies HAProxy nothing and logs what it would have denied: otherwise each denial hides the next. */
export function onlyLogDenied(login: Login): string {
  return rootCommand(login, 'semanage', 'permissive', '-a', 'haproxy_t');
}
