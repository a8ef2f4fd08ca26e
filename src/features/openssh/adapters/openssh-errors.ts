/**
 * Translation of the system ssh's error messages. ssh has one exit status (255) for everything, so its messages under LC_ALL=C are the only
 * source; they are always shown too. Host key errors come from host-key.ts, because it knows more.
 */

import type { Endpoint } from '../../../core/adapters/ssh/endpoint.ts';
import { HANGS_UP } from '../../../core/adapters/ssh/exec-errors.ts';
import { FORWARDING, place, sshCopyId, sshVerbose } from '../../../core/adapters/ssh/ssh-errors.ts';
import { installHereHint } from '../../../core/domain/dockerd/install-hints.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { osReleaseHere } from '../../../core/user.ts';
import type { ErrorCode } from '../../../errors/catalogue.ts';
import { DockerTlsError, printable, printableLines } from '../../../errors/errors.ts';
import { runSsh } from './ssh-program.ts';

/** Errors: E_PROGRAM_MISSING, or E_SSH_OPENSSH_OLD before 8.5, which has no KnownHostsCommand. */
export async function checkOpenSsh(options: SshOptions): Promise<void> {
  const result = await runSsh(['-V'], options);
  if (result.status === 'missing') {
    throw new DockerTlsError(
      'E_PROGRAM_MISSING',
      'the openssh transport needs the ssh program, and it is not installed',
      { where: options.host, hints: [installHereHint(osReleaseHere(), ['openssh-client'])] },
    );
  }
  const [, major, minor] = /OpenSSH_(?:for_Windows_)?(\d+)\.(\d+)/.exec(result.stderr) ?? [];
  if (major !== undefined && Number(major) * 100 + Number(minor) < 805) {
    throw new DockerTlsError(
      'E_SSH_OPENSSH_OLD',
      `the openssh transport needs OpenSSH 8.5 or later, this is ${printable(result.stderr.trim(), 100)}`,
      { where: options.host, hints: [installHereHint(osReleaseHere(), ['openssh-client'])] },
    );
  }
}

type Reading = {
  readonly words: RegExp;
  readonly code: ErrorCode;
  readonly say: (at: string, endpoint: Endpoint) => string;
  readonly hints?: (endpoint: Endpoint) => string[];
};

const READINGS: readonly Reading[] = [
  {
    words: /Could not resolve hostname/i,
    code: 'E_SSH_NAME',
    say: (_at, endpoint) => `no address is known for ${endpoint.hostName}`,
    hints: (endpoint) => [`getent hosts ${endpoint.hostName}`],
  },
  {
    // Messages about a login; messages about unusable files and programs end in a colon.
    words:
      /Permission denied \(|Permission denied, please|Too many authentication failures|no more authentication methods/i,
    code: 'E_SSH_AUTH',
    say: (_at, endpoint) => `authentication failed for ${endpoint.user}@${endpoint.hostName}`,
    hints: (endpoint) => ['-i KEYFILE', 'ssh-add KEYFILE', sshCopyId(endpoint)],
  },
  {
    words: /no matching (?:host key|key exchange|cipher|MAC)|no mutual/i,
    code: 'E_SSH_NO_ALGORITHM',
    say: (at) => `${at} and ssh have no method in common`,
  },
  {
    words: /REMOTE HOST IDENTIFICATION HAS CHANGED/,
    code: 'E_SSH_HOST_KEY_CHANGED',
    say: () => "the host's key has changed: possible man-in-the-middle attack",
  },
  { words: /REVOKED HOST KEY|revoked/i, code: 'E_SSH_HOST_KEY_REVOKED', say: () => "the host's key is revoked" },
  {
    words: /Host key verification failed|No .* host key is known/i,
    code: 'E_SSH_HOST_KEY_UNKNOWN',
    say: () => "the host's key is not known",
  },
  {
    words: /Bad configuration option|bad configuration|keyword .* extra arguments|missing argument/i,
    code: 'E_SSH_CONFIG',
    say: () => 'ssh does not accept its configuration',
  },
  {
    words: /^Connection to \S+ closed by remote host/m,
    code: 'E_SSH_LOST',
    say: (at) => `${at} hung up right after the login`,
    hints: (endpoint) => [HANGS_UP, sshVerbose(endpoint)],
  },
  {
    words: /open failed: administratively prohibited/i,
    code: 'E_SSH_FORWARDING',
    say: () => 'a jump host does not forward connections',
    hints: () => [FORWARDING],
  },
  { words: /Connection refused/i, code: 'E_SSH_REFUSED', say: (at) => `nothing listens on ${at}` },
  { words: /timed out|Timeout, server/i, code: 'E_SSH_TIMEOUT', say: (at) => `connecting: ${at} did not answer` },
  {
    words: /No route to host|Network is unreachable|Host is down|open failed: connect failed/i,
    code: 'E_SSH_UNREACHABLE',
    say: (at) => `no route to ${at}`,
  },
];

/** The error for a failed master connection. `locked`: key files that ssh skips without a terminal. */
export function translateOpenSsh(
  options: SshOptions,
  endpoint: Endpoint,
  words: string,
  locked: readonly string[] = [],
): DockerTlsError {
  const reading = READINGS.find((each) => each.words.test(words));
  const hop = hopOf(endpoint, words);
  const at = place(hop);
  const refused = reading?.code === 'E_SSH_AUTH';
  return new DockerTlsError(
    reading?.code ?? 'E_SSH_REFUSED',
    reading?.say(at, hop) ?? `ssh could not connect to ${at}`,
    {
      where: hop === endpoint ? options.host : `${options.host} (jump ${hop.hostName})`,
      details: [
        ...printableLines(words, 6),
        ...(refused
          ? locked.map((file) => `the key ${file} is encrypted and there is no terminal to ask for its passphrase`)
          : []),
      ],
      hints: [
        ...(refused ? locked.map((file) => `ssh-add ${file}`) : []),
        ...(reading?.hints?.(hop) ?? [sshVerbose(hop)]),
      ],
    },
  );
}

/** The hop that ssh's messages are about. A jump host's ssh prints its own; the last ssh only reports that the connection was closed. */
function hopOf(endpoint: Endpoint, words: string): Endpoint {
  const [, dialled, port] = /connect to host (\S+) port (\d+):/.exec(words) ?? [];
  const [, user, refused] = /^(\S+)@(\S+): Permission denied \(/m.exec(words) ?? [];
  const [, unknown] = /Could not resolve hostname (\S+?):/i.exec(words) ?? [];
  const name = printable(dialled ?? unknown ?? refused ?? endpoint.hostName, 255);
  const same = name.toLowerCase() === endpoint.hostName.toLowerCase();
  if (
    same &&
    (port === undefined || Number(port) === endpoint.port) &&
    (user === undefined || user === endpoint.user)
  ) {
    return endpoint;
  }
  return {
    ...endpoint,
    alias: name,
    requested: { ...endpoint.requested, jump: undefined },
    hostName: name,
    port: port === undefined ? 22 : Number(port),
    user: printable(user ?? '', 100),
  };
}

/** The host, or a jump host, hung up silently; a retry may succeed. */
export function isOpenSshDrop(error: unknown): boolean {
  return (
    error instanceof DockerTlsError &&
    error.code === 'E_SSH_REFUSED' &&
    error.details.some((line) =>
      /kex_exchange_identification|banner exchange|Connection (?:closed|reset) by/.test(line),
    )
  );
}

/** ssh exceeded the time limit for connecting. */
export function openSshTimedOut(
  options: SshOptions,
  endpoint: Endpoint,
  limitMs: number,
  words: string,
  untouched: boolean,
): DockerTlsError {
  return new DockerTlsError(
    'E_SSH_TIMEOUT',
    untouched
      ? `logging in: the security key was not touched within ${limitMs} ms`
      : `connecting: no login at ${place(endpoint)} within ${limitMs} ms`,
    { where: options.host, details: printableLines(words, 6), hints: [sshVerbose(endpoint)] },
  );
}
