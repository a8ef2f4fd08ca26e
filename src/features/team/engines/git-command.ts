/**
 * Runner of the system's git: with the user's configuration and ssh, without secrets in arguments or docker-tls variables in the
 * environment.
 */

import { spawn } from 'node:child_process';
import { installHereHint } from '../../../core/domain/dockerd/install-hints.ts';
import { osReleaseHere } from '../../../core/user.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type GitResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

export type GitCommandOptions = {
  readonly input?: Uint8Array | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Exit statuses other than 0 that are valid answers. */
  readonly answers?: readonly number[];
  /** git is stopped after this number of bytes: they are the answer. */
  readonly most?: number;
};

/** Time for git's last output to arrive after it was stopped. */
const LAST_WORDS_MS = 1000;

export type Git = (args: readonly string[], options?: GitCommandOptions) => Promise<GitResult>;

/** A failure of git, with its last output. */
export class GitFailure extends Error {
  readonly result: GitResult;
  /** git timed out: the server may still complete the request. */
  readonly late: boolean;
  constructor(args: readonly string[], result: GitResult, late = false) {
    super(causeIn(result.stderr) ?? `git ${args[0]} ended with status ${result.status}`);
    this.name = 'GitFailure';
    this.result = result;
    this.late = late;
  }
}

/** Variables for another repository, perhaps set by an outer git command, and those of docker-tls. */
const NOT_FOR_GIT =
  /^(?:GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|REPLACE_REF_BASE|GRAFT_FILE|SHALLOW_FILE|QUARANTINE_PATH|DEFAULT_HASH|TRACE\w*|CURL_VERBOSE)|DOCKER_TLS_\w+)$/;

/** Only these transports: a URL rewritten to another one (ext::) must not run a program. */
const TRANSPORTS = ['ssh', 'https', 'file'].flatMap((name) => ['-c', `protocol.${name}.allow=always`]);
const SETTINGS = [
  ...['-c', 'protocol.allow=never', ...TRANSPORTS],
  // git reads no larger file whole, whoever has put it there.
  ...['-c', 'core.bigFileThreshold=1m'],
  // What was fetched stays packed: a small pack can be a huge file.
  ...['-c', 'fetch.unpackLimit=1'],
  ...['-c', 'core.hooksPath=/dev/null', '-c', 'core.fsmonitor=false', '-c', 'fetch.fsckObjects=true'],
  ...[
    '-c',
    'gc.autoDetach=false',
    '-c',
    'gc.pruneExpire=never',
    '-c',
    'maintenance.autoDetach=false',
    '-c',
    'advice.detachedHead=false',
  ],
];

/** Limits of a git call. */
export type GitLimits = {
  /** Default: 120 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** Time that a call may still take after the signal. 0: none, and calls fail with the signal's reason. */
  graceMs(): number;
};

/** git on a bare repository. Fails with GitFailure, with E_PROGRAM_MISSING (exit 2), and with the signal's reason. */
export function gitIn(directory: string, { timeoutMs = 120_000, signal, graceMs }: GitLimits): Git {
  return (args, { input, env = {}, answers = [], most = Number.POSITIVE_INFINITY } = {}) =>
    new Promise((resolve, reject) => {
      if (graceMs() === 0) signal?.throwIfAborted();
      // At each call, because reading a secret removes it from the environment.
      const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_FOR_GIT.test(name)));
      const child = spawn('git', [...SETTINGS, `--git-dir=${directory}`, ...args], {
        env: { ...inherited, GIT_TERMINAL_PROMPT: '0', GIT_NO_REPLACE_OBJECTS: '1', LC_ALL: 'C', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: timeoutMs,
      });
      let ending: NodeJS.Timeout | undefined;
      const stop = () => {
        ending = setTimeout(() => child.kill(), graceMs());
      };
      if (signal?.aborted) stop();
      signal?.addEventListener('abort', stop);
      const out: Buffer[] = [];
      let stderr = '';
      let size = 0;
      child.stdout.on('data', (chunk: Buffer) => {
        if (size < most) out.push(chunk);
        size += chunk.length;
        if (size >= most) child.kill('SIGKILL');
      });
      child.stderr.on('data', (chunk: Buffer) => {
        if (stderr.length < 65_536) stderr += chunk.toString('utf8');
      });
      child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? noGit(error) : error));
      child.on('close', (code, killed) => {
        clearTimeout(ending);
        signal?.removeEventListener('abort', stop);
        if (killed !== null && graceMs() === 0 && signal?.aborted) return reject(signal.reason);
        const status = code ?? 128;
        const output =
          killed === null
            ? stderr
            : `${stderr}\nfatal: ${child.killed && !signal?.aborted ? `no answer within ${timeoutMs / 1000} s` : `git was stopped by ${killed}`}`;
        const result = { status, stdout: Buffer.concat(out), stderr: output };
        if (size >= most) resolve({ ...result, stdout: result.stdout.subarray(0, most) });
        else if (status === 0 || answers.includes(status)) resolve(result);
        else reject(new GitFailure(args, result, child.killed));
      });
      // git's ssh, or the server process for a file URL, may survive and hold the pipes: do not wait for them.
      child.on('exit', (_code, killed) => {
        if (killed === null) return;
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, LAST_WORDS_MS);
      });
      // git may exit before it has read all input; its status has the reason.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
}

/** Lines that report a failure without its cause; an earlier line has the cause. */
const WITHOUT_CAUSE =
  /^(?:hint:|To |Please make sure|and the repository exists|\[GNUPG:\]|fatal: Could not read from remote|fatal: failed to write commit|error: failed to push some refs|error: gpg failed to sign)/;

/** The cause printed by git, ssh or the server; for a refusal, the server's message. */
export function causeIn(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter((line) => /[A-Za-z]/.test(line.replace(/^remote:/, '')) && !WITHOUT_CAUSE.test(line));
  const rejected = telling.flatMap((line) => /^! \[(?:remote )?rejected\].*\((.*)\)$/.exec(line)?.[1] ?? [])[0];
  const answer = telling.flatMap((line) => /^remote: *(?:error: *)?(.*)$/.exec(line)?.[1] ?? []).slice(-3);
  if (rejected !== undefined) return answer.length === 0 ? rejected : `${answer.join('; ')} (${rejected})`;
  const fatal = telling.find((line) => /^(?:fatal|error):/.test(line));
  return (fatal ?? telling.at(-1) ?? lines.filter(Boolean).at(-1))?.replace(/^(?:(?:fatal|error|remote): *)+/, '');
}

function noGit(cause: Error): DockerTlsError {
  return new DockerTlsError('E_PROGRAM_MISSING', 'git is not installed here, and the store is a git repository', {
    hints: [installHereHint(osReleaseHere(), ['git'])],
    cause,
  });
}

/**
 * Parses `cat-file --batch` (gitformat): `HASH TYPE SIZE\n`, the bytes, `\n`; `NAME missing\n`. One entry per request; truncated ones are
 * missing.
 */
export function batchOf(bytes: Buffer): (Uint8Array | undefined)[] {
  const found: (Uint8Array | undefined)[] = [];
  for (let at = 0; at < bytes.length; ) {
    const end = bytes.indexOf(0x0a, at);
    const size = /^[0-9a-f]+ \w+ (\d+)$/.exec(bytes.subarray(at, end).toString('latin1'))?.[1];
    const from = end + 1;
    const until = from + Number(size ?? 0);
    if (end === -1 || until > bytes.length) break;
    found.push(size === undefined ? undefined : bytes.subarray(from, until));
    at = size === undefined ? from : until + 1;
  }
  return found;
}
