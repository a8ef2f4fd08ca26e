/**
 * The openssh transport: the system's ssh, with one master connection per session in its own directory, for everything that ssh2 cannot do
 * (E_SSH_TRANSPORT). host-key.ts still verifies host keys, and the same user still answers questions: ssh asks through openssh-answers.ts.
 */

import { spawn } from 'node:child_process';
import { access, constants, mkdtemp, rm, stat, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import type { Channel, ChannelEnd, Transport } from '../../../core/adapters/ssh/channel.ts';
import { CONNECT_TIMEOUT_MS, Deadline, KEEPALIVE_MS } from '../../../core/adapters/ssh/deadline.ts';
import { hungUp, scriptInterrupted } from '../../../core/adapters/ssh/exec-errors.ts';
import { pinOf } from '../../../core/adapters/ssh/known-hosts.ts';
import { startProgram } from '../../../core/adapters/ssh/local-session.ts';
import { loginOf } from '../../../core/adapters/ssh/login.ts';
import { isEncrypted } from '../../../core/adapters/ssh/login-keys.ts';
import { readBytesIfThere } from '../../../core/adapters/ssh/read-once.ts';
import { resolveEndpoint } from '../../../core/adapters/ssh/resolve-endpoint.ts';
import { withRetry } from '../../../core/adapters/ssh/retry.ts';
import { route } from '../../../core/adapters/ssh/route.ts';
import { withSemaphore } from '../../../core/adapters/ssh/semaphore.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import type { SshOptions } from '../../../core/runtime.ts';
import { homeDirectory } from '../../../core/user.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { type AskpassAnswers, startAnswers } from './openssh-answers.ts';
import { checkOpenSsh, isOpenSshDrop, openSshTimedOut, translateOpenSsh } from './openssh-errors.ts';
import type { ConfiguredEndpoint } from './ssh-config.ts';

const POLL_MS = 15;

/** Starts the master connection. Errors: E_SSH_… like the ssh2 transport, if ssh reports the cause; E_PROGRAM_MISSING. */
export async function connectOpenSsh(options: SshOptions): Promise<Transport> {
  await checkOpenSsh(options);
  const endpoint = await resolveEndpoint(options);
  await checkIdentities(options, endpoint);
  await checkCircle(options, endpoint);
  return await withRetry(() => startMaster(options, endpoint), isOpenSshDrop);
}

async function startMaster(options: SshOptions, endpoint: ConfiguredEndpoint): Promise<Transport> {
  const directory = await openDirectory(options);
  let clock: Deadline | undefined;
  const answers = await startAnswers(directory, options, endpoint, () => clock);
  const remove = async (): Promise<void> => {
    await answers.close();
    await rm(directory, { recursive: true, force: true });
  };
  try {
    await writeFile(join(directory, 'config'), renderConfig(options, endpoint, answers), { mode: 0o600 });
    const env = { ...process.env, ...answers.env, LC_ALL: 'C' };
    const master = await startProgram('/bin/sh', ['-c', KEEPER, 'sh', ...masterArguments(options, directory)], env);
    const end = watch(master);
    const settled = await waitForMaster(options, endpoint, directory, end, answers, (started) => {
      clock = started;
    });
    clock = undefined;
    if (settled !== undefined) {
      master.kill();
      throw answers.failure() ?? settled;
    }
    const hostKey = answers.hostKey();
    return { ...transportOver(options, endpoint, directory, master, end, env, remove), hostKey };
  } catch (error) {
    await remove();
    throw error;
  }
}

/**
 * A directory from which ssh can start our answer program; /tmp often forbids that (noexec). Mode 0700: its control socket gives access to
 * the host.
 */
async function openDirectory(options: SshOptions): Promise<string> {
  const parents = [tmpdir(), process.env.XDG_RUNTIME_DIR, homeDirectory()].filter((parent) => parent !== undefined);
  for (const parent of parents) {
    const directory = await mkdtemp(join(parent, 'docker-tls-')).catch(() => undefined);
    if (directory === undefined) continue;
    const program = join(directory, 'answer');
    await writeFile(program, '', { mode: 0o700 });
    const runs = await access(program, constants.X_OK).then(
      () => true,
      () => false,
    );
    if (runs) return directory;
    await rm(directory, { recursive: true, force: true });
  }
  throw new DockerTlsError(
    'E_TEMP_DIRECTORY',
    `ssh has to start a small program from docker-tls, and no directory allows that: ${parents.join(', ')}`,
    { where: options.host, hints: ['export TMPDIR=DIRECTORY', '--transport ssh2'] },
  );
}

/** Ends ssh when our end of the pipe closes for any reason: no master outlives this process. */
const KEEPER =
  'exec 3<&0; ssh "$@" </dev/null 3<&- & p=$!; (cat <&3 >/dev/null; kill $p) 2>/dev/null & exec 3<&-; wait $p; r=$?; kill $! 2>/dev/null; exit $r';

type MasterEnd = { value?: ChannelEnd; readonly words: () => string };

function watch(master: Channel): MasterEnd {
  let words = '';
  const end: MasterEnd = { words: () => words };
  master.onOutput((_stream, chunk) => {
    words = (words + chunk.toString('utf8')).slice(-16_384);
  });
  void master.ended.then((value) => {
    end.value = value;
  });
  return end;
}

/** Undefined once ssh has created the control socket, which it does after the login; else the error. */
async function waitForMaster(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  directory: string,
  end: MasterEnd,
  answers: AskpassAnswers,
  clockStarted: (clock: Deadline) => void,
): Promise<DockerTlsError | undefined> {
  const limitMs = options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS;
  let expired = false;
  const clock = new Deadline(limitMs, () => {
    expired = true;
  });
  clockStarted(clock);
  try {
    for (;;) {
      if (options.signal?.aborted) return scriptInterrupted(options.host, 'connecting');
      if (end.value !== undefined) {
        const files = options.ask === undefined ? endpoint.identities.map(({ file }) => file) : [];
        return translateOpenSsh(options, endpoint, end.words(), await lockedFiles(files));
      }
      if (expired) return openSshTimedOut(options, endpoint, limitMs, end.words(), answers.untouched());
      if (await exists(join(directory, 'c'))) return undefined;
      await new Promise((resolve) => setTimeout(resolve, POLL_MS));
    }
  } finally {
    clock.pause();
  }
}

async function exists(path: string): Promise<boolean> {
  try {
    await stat(path);
    return true;
  } catch {
    return false;
  }
}

function masterArguments(options: SshOptions, directory: string): string[] {
  const seconds = (ms: number): string => String(Math.max(1, Math.ceil(ms / 1000)));
  const pinned = pinOf(options.hostKey) !== undefined;
  return [
    ...['-F', join(directory, 'config'), '-S', join(directory, 'c'), '-M', '-N', '-T', '-o', 'ControlPersist=no'],
    ...['-o', `ConnectTimeout=${seconds(options.connectTimeoutMs ?? CONNECT_TIMEOUT_MS)}`],
    ...['-o', `ServerAliveInterval=${seconds(options.keepaliveMs ?? KEEPALIVE_MS)}`, '-o', 'ServerAliveCountMax=3'],
    // Only we compare a pinned key; entries in the files would interfere.
    ...(pinned ? ['-o', 'UserKnownHostsFile=/dev/null', '-o', 'GlobalKnownHostsFile=/dev/null'] : []),
    ...(options.user === undefined ? [] : ['-l', options.user]),
    ...(options.port === undefined ? [] : ['-p', String(options.port)]),
    ...((options.identities?.length ?? 0) > 0 ? ['-o', 'IdentitiesOnly=yes'] : []),
    ...((options.jump?.length ?? 0) > 0 ? ['-J', options.jump?.join(',') ?? ''] : []),
    '--',
    options.destination,
  ];
}

/**
 * Our settings come first and so override the user's files (ssh_config(5): the first value obtained is used, and all key files). They are
 * in a file because ssh passes `-F` to a jump host's ssh, which may use the same keys.
 */
function renderConfig(options: SshOptions, endpoint: ConfiguredEndpoint, answers: AskpassAnswers): string {
  const include =
    options.configFile === undefined
      ? [join(homeDirectory(), '.ssh/config'), '/etc/ssh/ssh_config']
      : [options.configFile];
  return [
    'Host *',
    '  StrictHostKeyChecking yes',
    `  KnownHostsCommand ${answers.program} host-key %I %H %t %K`,
    ...(options.knownHostsFile === undefined
      ? []
      : [`  UserKnownHostsFile ${configWord(options.knownHostsFile)}`, '  GlobalKnownHostsFile /dev/null']),
    ...endpoint.identities.filter(({ explicit }) => explicit).map(({ file }) => `  IdentityFile ${configWord(file)}`),
    `  BatchMode ${options.ask === undefined ? 'yes' : 'no'}`,
    '  UpdateHostKeys no',
    '  ForwardAgent no',
    '  ForwardX11 no',
    '  ClearAllForwardings yes',
    '  PermitLocalCommand no',
    '  RemoteCommand none',
    '  RequestTTY no',
    // We parse ssh's messages, and QUIET would suppress them.
    '  LogLevel INFO',
    // Only if configured: ssh before 8.7 does not know these keywords.
    ...(endpoint.detaches ?? []).map((key) => `  ${key} no`),
    ...include.map((file) => `Include ${configWord(file)}`),
    '',
  ].join('\n');
}

/** A path as a word of ssh_config(5), with `%` escaped as the start of a token. */
function configWord(path: string): string {
  return `"${path.replaceAll('\\', '\\\\').replaceAll('"', '\\"')}"`;
}

/** Rejects a circle of jump hosts: ssh would start itself endlessly. ssh reports other problems of the route. */
async function checkCircle(options: SshOptions, endpoint: ConfiguredEndpoint): Promise<void> {
  if ((options.jump ?? endpoint.jump).length === 0) return;
  await route(options).catch((error: unknown) => {
    if (error instanceof DockerTlsError && error.code === 'E_SSH_CONFIG') throw error;
  });
}

async function checkIdentities(options: SshOptions, endpoint: ConfiguredEndpoint): Promise<void> {
  for (const { file, explicit } of endpoint.identities) {
    if (!explicit || (await readBytesIfThere(file).catch(() => undefined)) !== undefined) continue;
    throw new DockerTlsError('E_SSH_KEY_FILE', `the key file ${file} does not exist or cannot be read`, {
      where: options.host,
      hints: [`ls -l ${shellQuote(file)}`],
    });
  }
}

function transportOver(
  options: SshOptions,
  endpoint: ConfiguredEndpoint,
  directory: string,
  master: Channel,
  end: MasterEnd,
  env: Readonly<Record<string, string | undefined>>,
  remove: () => Promise<void>,
): Transport {
  const lost = (): DockerTlsError => hungUp(options.host, loginOf(options, endpoint.user));
  async function open(words: readonly string[]): Promise<Channel> {
    if (end.value !== undefined) throw lost();
    const command = words.map(shellQuote).join(' ');
    // Without its master, ssh would dial anew with other checks and questions: ProxyCommand=false makes that fail.
    const args = ['-F', join(directory, 'config'), '-S', join(directory, 'c'), '-o', 'ControlMaster=no'];
    const channel = await startProgram(
      'ssh',
      [...args, '-o', 'ProxyCommand=false', '-o', 'LogLevel=ERROR', '-T', '--', options.destination, command],
      env,
    );
    const ended = channel.ended.then(async (how): Promise<ChannelEnd> => {
      if (how.status !== 255) return how;
      // 255 is also ssh's status for "no connection": trust it only if the master is gone too.
      await Promise.race([master.ended, new Promise((resolve) => setTimeout(resolve, 300))]);
      return end.value === undefined ? how : { lost: lost() };
    });
    return { ...channel, ended };
  }
  return {
    user: endpoint.user,
    dialled: endpoint.hostName,
    transport: 'openssh',
    open: withSemaphore(open),
    // Each exec is a program of its own.
    overtakes: true,
    tunnel: {
      via: `ssh to ${endpoint.hostName}`,
      open: async (address, port) => {
        if (end.value !== undefined) throw lost();
        const to = `${address.includes(':') ? `[${address}]` : address}:${port}`;
        const args = ['-F', join(directory, 'config'), '-S', join(directory, 'c'), '-o', 'ControlMaster=no'];
        return openForward([...args, '-o', 'ProxyCommand=false', '-W', to, '--', options.destination], env);
      },
      ended: master.ended.then(() => {}),
    },
    close: async () => {
      master.endInput();
      await Promise.race([master.ended, new Promise((resolve) => setTimeout(resolve, 1000))]);
      master.kill();
      await remove();
    },
  };
}

/** A connection made by `ssh -W`; it ends with the program. */
function openForward(args: readonly string[], env: Readonly<Record<string, string | undefined>>): Duplex {
  const child = spawn('ssh', [...args], { stdio: ['pipe', 'pipe', 'ignore'], env });
  const stream = Duplex.from({ readable: child.stdout, writable: child.stdin });
  child.once('error', (error) => stream.destroy(error));
  stream.once('close', () => child.kill());
  return stream;
}

/** The files among `files` with a passphrase-protected private key. */
async function lockedFiles(files: readonly string[]): Promise<string[]> {
  const texts = await Promise.all(files.map((file) => readBytesIfThere(file).catch(() => undefined)));
  return files.filter((_, index) => {
    const text = texts[index];
    return text !== undefined && isEncrypted(text);
  });
}
