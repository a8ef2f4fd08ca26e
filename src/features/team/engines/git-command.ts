/** Running the system's git: with the user's own configuration and ssh, no secret in its arguments, and nothing of ours in its environment. */

import { spawn } from 'node:child_process';
import { installHereHint } from '../../../core/domain/dockerd/packages.ts';
import { osReleaseHere } from '../../../core/user.ts';
import { DockerTlsError } from '../../../errors/errors.ts';

export type GitResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

export type GitOptions = {
  readonly input?: Uint8Array | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Statuses besides 0 that are an answer and no failure. */
  readonly answers?: readonly number[];
  /** Once it has printed so many bytes it is stopped: they are the answer. */
  readonly most?: number;
};

/** How long what git has printed may take to arrive after it was stopped. */
const LAST_WORDS_MS = 1000;

export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitResult>;

/** Failures of git itself, with its last output. */
export class GitFailure extends Error {
  readonly result: GitResult;
  /** It had no answer in its time: what was asked for may still go on at the other end. */
  readonly late: boolean;
  constructor(args: readonly string[], result: GitResult, late = false) {
    super(causeIn(result.stderr) ?? `git ${args[0]} ended with status ${result.status}`);
    this.name = 'GitFailure';
    this.result = result;
    this.late = late;
  }
}

/** Of a repository that another git command may have set, and of ours. */
const NOT_FOR_GIT =
  /^(?:GIT_(?:DIR|WORK_TREE|INDEX_FILE|OBJECT_DIRECTORY|ALTERNATE_OBJECT_DIRECTORIES|COMMON_DIR|NAMESPACE|PREFIX|REPLACE_REF_BASE|GRAFT_FILE|SHALLOW_FILE|QUARANTINE_PATH|DEFAULT_HASH|TRACE\w*|CURL_VERBOSE)|DOCKER_TLS_\w+)$/;

/** Only these transports: a URL rewritten to another (ext::) runs no program. */
const TRANSPORTS = ['ssh', 'https', 'file'].flatMap((name) => ['-c', `protocol.${name}.allow=always`]);
const SETTINGS = [
  ...['-c', 'protocol.allow=never', ...TRANSPORTS],
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

/** What ends a call of git before its own end. */
export type GitLimits = {
  /** Default: 120 s. */
  readonly timeoutMs?: number | undefined;
  readonly signal?: AbortSignal | undefined;
  /** How long a call may still take once the signal came. 0: none, and calls then fail with the signal's reason. */
  graceMs(): number;
};

/** git on a bare repository. Fails with GitFailure, with E_PROGRAM_MISSING (exit 2), and as the signal says. */
export function gitIn(directory: string, { timeoutMs = 120_000, signal, graceMs }: GitLimits): Git {
  return (args, { input, env = {}, answers = [], most = Number.POSITIVE_INFINITY } = {}) =>
    new Promise((resolve, reject) => {
      if (graceMs() === 0) signal?.throwIfAborted();
      // At each call: secrets are taken out of the environment as they are read.
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
      // Its ssh, or the server's end in a file system, may live on and hold the pipes: they are not waited for.
      child.on('exit', (_code, killed) => {
        if (killed === null) return;
        setTimeout(() => {
          child.stdout.destroy();
          child.stderr.destroy();
        }, LAST_WORDS_MS);
      });
      // git may end before it has read everything: its status says why.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
}

/** Says that it failed, and not why: a line before it does. */
const WITHOUT_CAUSE =
  /^(?:hint:|To |Please make sure|and the repository exists|\[GNUPG:\]|fatal: Could not read from remote|fatal: failed to write commit|error: failed to push some refs|error: gpg failed to sign)/;

/** What git, ssh or the server printed of the cause; of a server that refuses, its own words. */
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

/** gitformat of `cat-file --batch`: `HASH TYPE SIZE\n`, the bytes, `\n`; `NAME missing\n`. One for each that was asked for; those cut off are not there. */
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
