/** Runs docker-tls for tests: in this process with the test's own Runtime, or as a built program in a child process. */

import { type ChildProcess, type SpawnOptions, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandEntry } from '../../src/cli/command.ts';
import { main } from '../../src/cli/main.ts';
import type { Io, Runtime } from '../../src/core/runtime.ts';
import type { ExitStatus } from '../../src/errors/catalogue.ts';
import { DockerTlsError } from '../../src/errors/errors.ts';
import { builtProgram } from './build-once.ts';
import { requireStatus } from './exit-status.ts';
import { requireHints } from './hints.ts';
import { asksForDocument, requireDocument } from './json-documents.ts';

const root = new URL('../..', import.meta.url).pathname;

/** A single executable (scripts/single.mjs) that tests run in place of a build; vitest.config.ts has which. */
export const SINGLE = process.env.DOCKER_TLS_PROGRAM || undefined;

export type CliRun = {
  readonly exit: ExitStatus;
  readonly out: string;
  readonly err: string;
  /** The only JSON document on stdout; throws on any other output. */
  readonly json: {
    schema: number;
    command: string;
    ok: boolean;
    // biome-ignore lint/suspicious/noExplicitAny: a test looks into documents of any shape
    result?: any;
    error?: {
      code: string;
      message: string;
      where: string | null;
      hints: string[];
      details: string[];
      errors?: { code: string; message: string; where: string | null }[];
    };
  };
};

export type CliSetting = Partial<Omit<Runtime, 'io'>> & {
  readonly io?: Partial<Io>;
  /** Commands of the test, replacing the real ones. */
  readonly commands?: readonly CommandEntry[];
};

/** Runs main() in this process, by default without a terminal and with an empty environment. */
export async function runCli(argv: readonly string[], { commands, ...setting }: CliSetting = {}): Promise<CliRun> {
  let out = '';
  let err = '';
  const io: Io = {
    outIsTerminal: false,
    errIsTerminal: false,
    inIsTerminal: false,
    columns: 80,
    colour: false,
    ...setting.io,
    out(text) {
      out += text;
      setting.io?.out?.(text);
    },
    err(text) {
      err += text;
      setting.io?.err?.(text);
    },
  };
  const exit = await main(
    argv,
    { env: {}, ...setting, signal: setting.signal ?? new AbortController().signal, io },
    commands,
  );
  requireStatus({ status: exit, out, err });
  if (commands === undefined && asksForDocument(argv)) requireDocument(out);
  if (commands === undefined) await requireHints({ out, err });
  return {
    exit,
    out,
    err,
    get json() {
      return JSON.parse(out);
    },
  };
}

/** Runs a command with `--json` from `directory`, on the store at `home`, while no host answers; `dialled` gets each attempt. */
export function runUnreached(
  { home, directory }: { readonly home: string; readonly directory: string },
  argv: readonly string[],
  dialled: (host: string) => void,
): Promise<CliRun> {
  return runCli([...argv, '--json'], {
    cwd: directory,
    env: { HOME: directory, DOCKER_CONFIG: join(directory, 'docker'), DOCKER_TLS_HOME: home },
    connect: async ({ host }) => {
      dialled(host);
      throw new DockerTlsError('E_SSH_TIMEOUT', 'no answer');
    },
  });
}

export type Program = {
  /** The built bin/docker-tls.js, or the single executable. */
  readonly bin: string;
  /** The first words of a command line that starts it. */
  readonly command: readonly [string, ...string[]];
  /** Runs it and waits. */
  run(argv: readonly string[], options?: SpawnOptions & { readonly input?: string }): Promise<ProgramRun>;
  start(argv: readonly string[], options?: SpawnOptions): ChildProcess;
  remove(): void;
};

export type ProgramRun = { readonly status: number | null; readonly out: string; readonly err: string };

/** The program as in `npm pack`, in a separate directory, so that parallel runs do not collide. */
export function buildProgram(): Program {
  const directory = mkdtempSync(join(tmpdir(), 'docker-tls-program-'));
  mkdirSync(join(directory, 'bin'));
  for (const name of ['docker-tls.js', 'docker-tls-plugin'])
    cpSync(join(root, 'bin', name), join(directory, 'bin', name));
  cpSync(join(root, 'package.json'), join(directory, 'package.json'));
  cpSync(builtProgram(), join(directory, 'dist'), { recursive: true });
  const bin = SINGLE ?? join(directory, 'bin/docker-tls.js');
  const command: Program['command'] = SINGLE === undefined ? [process.execPath, bin] : [SINGLE];
  const [file, ...first] = command;
  const start = (argv: readonly string[], options: SpawnOptions = {}) =>
    spawn(file, [...first, ...argv], { stdio: 'pipe', ...options });
  return {
    bin,
    command,
    start,
    run: (argv, { input = '', ...options } = {}) => finished(start(argv, options), input),
    remove: () => rmSync(directory, { recursive: true, force: true }),
  };
}

/** Waits for a child process; `input` is its whole stdin. A document that the program prints has to be as schema/ has it. */
export async function finished(child: ChildProcess, input = ''): Promise<ProgramRun> {
  let out = '';
  let err = '';
  child.stdout?.on('data', (chunk) => {
    out += chunk;
  });
  child.stderr?.on('data', (chunk) => {
    err += chunk;
  });
  child.stdin?.on('error', () => {}); // a program that ends without reading its input
  child.stdin?.end(input);
  const status = await new Promise<number | null>((resolve, reject) => {
    child.once('error', reject).once('close', resolve);
  });
  const { spawnargs } = child;
  const program = spawnargs.findIndex((word) => word.endsWith('/docker-tls.js') || word === SINGLE);
  if (status !== null && program !== -1 && asksForDocument(spawnargs.slice(program))) requireDocument(out);
  if (program !== -1) await requireHints({ out, err });
  return { status, out, err };
}
