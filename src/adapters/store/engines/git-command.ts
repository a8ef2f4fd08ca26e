/** Owns running the system's git: with the user's own configuration and ssh, no secret in its arguments, and nothing of ours in its environment. */

import { spawn } from 'node:child_process';
import { installHereHint } from '../../../domain/dockerd/packages.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { osReleaseHere } from '../../../user.ts';

export type GitResult = { readonly status: number; readonly stdout: Buffer; readonly stderr: string };

export type GitOptions = {
  readonly input?: Uint8Array | string;
  readonly env?: Readonly<Record<string, string>>;
  /** Statuses besides 0 that are an answer and no failure. */
  readonly answers?: readonly number[];
  readonly timeoutMs?: number;
};

export type Git = (args: readonly string[], options?: GitOptions) => Promise<GitResult>;

/** Failures of git itself, with its last output. */
export class GitFailure extends Error {
  readonly result: GitResult;
  constructor(args: readonly string[], result: GitResult) {
    super(lastLine(result.stderr) ?? `git ${args[0]} ended with status ${result.status}`);
    this.name = 'GitFailure';
    this.result = result;
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

/** git on a bare repository. Fails with GitFailure, and with E_PROGRAM_MISSING (exit 2). */
export function gitIn(directory: string): Git {
  return (args, { input, env = {}, answers = [], timeoutMs = 120_000 } = {}) =>
    new Promise((resolve, reject) => {
      // At each call: secrets are taken out of the environment as they are read.
      const inherited = Object.fromEntries(Object.entries(process.env).filter(([name]) => !NOT_FOR_GIT.test(name)));
      const child = spawn('git', [...SETTINGS, `--git-dir=${directory}`, ...args], {
        env: { ...inherited, GIT_TERMINAL_PROMPT: '0', LC_ALL: 'C', ...env },
        stdio: ['pipe', 'pipe', 'pipe'],
        timeout: timeoutMs,
      });
      const out: Buffer[] = [];
      let stderr = '';
      child.stdout.on('data', (chunk: Buffer) => out.push(chunk));
      child.stderr.on('data', (chunk: Buffer) => {
        if (stderr.length < 65_536) stderr += chunk.toString('utf8');
      });
      child.on('error', (error: NodeJS.ErrnoException) => reject(error.code === 'ENOENT' ? noGit(error) : error));
      child.on('close', (code, killed) => {
        const status = code ?? 128;
        const output = killed === null ? stderr : `${stderr}\ngit was stopped after ${timeoutMs / 1000} s`;
        const result = { status, stdout: Buffer.concat(out), stderr: output };
        if (status === 0 || answers.includes(status)) resolve(result);
        else reject(new GitFailure(args, result));
      });
      // git may end before it has read everything: its status says why.
      child.stdin.on('error', () => {});
      child.stdin.end(input);
    });
}

/** The last line that git or ssh printed, which names the cause. */
export function lastLine(stderr: string): string | undefined {
  const lines = stderr.split('\n').map((line) => line.trim());
  const telling = lines.filter(
    (line) => line !== '' && !/^(?:hint:|and the repository exists|Please make sure)/.test(line),
  );
  return (telling.find((line) => line.startsWith('fatal:') || line.startsWith('error:')) ?? telling.at(-1))?.replace(
    /^(?:fatal|error): /,
    '',
  );
}

function noGit(cause: Error): DockerTlsError {
  return new DockerTlsError('E_PROGRAM_MISSING', 'git is not installed here, and the store is a git repository', {
    hints: [installHereHint(osReleaseHere(), ['git'])],
    cause,
  });
}
