/** Real Debian hosts for tests, through scripts/lab (docs/dev/lab.md). Hosts end with the process that started them. */

import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const lab = fileURLToPath(new URL('../../scripts/lab', import.meta.url));

/**
 * Debian suites by their Docker version. bookworm: 20.10 (systemd 252), trixie: 26.1 (257), sid: 28.5 (262). trixie without systemd:
 * sysvinit, openrc; with rootless Docker only: rootless; sid with Podman 5.8 instead of Docker: podman; trixie with Podman 5.4: podman-trixie.
 */
export type Suite =
  | 'bookworm'
  | 'trixie'
  | 'sid'
  | 'sysvinit'
  | 'openrc'
  | 'rootless'
  | 'rootless-sid'
  | 'podman'
  | 'podman-trixie';
/** A virtual machine with Debian's own kernel, for audit, confinement and limits. exec uses ssh, and its `root` does not exist. */
export type VmSuite = 'trixie-vm';
export const suites: readonly Suite[] = ['bookworm', 'trixie', 'sid'];
export const suitesWithoutSystemd: readonly Suite[] = ['sysvinit', 'openrc'];

/** root; ops (sudo without password); pat (sudo and login: labPassword); noisy (bash with banners); fishy (fish). */
export type LabUser = 'root' | 'ops' | 'pat' | 'noisy' | 'fishy' | 'rooty';
export const labPassword = 'correct horse';

export type LabRun = { readonly exit: number; readonly out: string; readonly err: string };

export type LabHost = {
  readonly name: string;
  readonly suite: Suite | VmSuite;
  readonly address: string;
  readonly address6: string;
  readonly port: number;
  readonly keyFile: string;
  readonly knownHostsFile: string;
  /** The host's whole file tree, as a path on this machine. */
  readonly root: string;
  /** Runs a line of shell through the system's ssh. Does not throw if it fails. */
  ssh(command: string, options?: { user?: LabUser; input?: string }): Promise<LabRun>;
  /** Runs a line of shell as root inside the host, without ssh and network. Does not throw if it fails. */
  exec(command: string, options?: { input?: string }): Promise<LabRun>;
  /** Like exec, but throws if the command fails; returns its output without the final line end. */
  must(command: string): Promise<string>;
  /**
   * Starts a container of the image "busybox" that runs until stopped, and stops at once, replacing one of that name; options are words of
   * `docker run`.
   */
  container(name: string, options?: string, command?: string): Promise<string>;
  cut(): Promise<void>;
  fix(): Promise<void>;
  /** Cuts the power and boots again; returns when ssh and docker answer. */
  reboot(): Promise<void>;
  down(): Promise<void>;
};

/** Hosts of this process: one left by a failed attempt must not block the next attempt. */
const ours = new Set<string>();

/**
 * Boots hosts, all of one suite (default: trixie), and returns when ssh and docker answer on all. All files of a run share the names, so
 * give yours a prefix. Throws with the messages of scripts/lab.
 */
export async function labUp(options: {
  names: readonly string[];
  suite?: Suite | VmSuite;
  /** Further packages. */
  with?: readonly string[];
}): Promise<LabHost[]> {
  const suite = options.suite ?? 'trixie';
  for (const name of options.names.filter((one) => ours.has(one))) await labRun(['down', name]);
  const more = options.with === undefined ? [] : ['--with', options.with.join(',')];
  const text = await call([
    ...['up', ...options.names, '--suite', suite, ...more],
    ...['--owner-pid', String(process.pid), '--json'],
  ]);
  for (const name of options.names) ours.add(name);
  return JSON.parse(text).map(hostOf);
}

/** The path of the docker command on this machine, installed by apt if missing. */
export async function labClient(): Promise<string> {
  return (await call(['client'])).trim();
}

/** The command of suites without root's docker. */
const ENGINES: Readonly<Partial<Record<Suite | VmSuite, string>>> = {
  podman: 'podman',
  'podman-trixie': 'podman',
  rootless: '/usr/bin/docker -H unix:///run/user/1004/docker.sock',
};

/** Runs scripts/lab itself. */
export function labRun(args: readonly string[], input = ''): Promise<LabRun> {
  return run(lab, args, input);
}

type Listed = Pick<LabHost, 'name' | 'suite' | 'address' | 'address6' | 'port' | 'keyFile'> & { knownHosts: string };

/** As `scripts/lab exec`, which takes five times as long to start. */
const INSIDE = [
  ...['--mount', '--uts', '--ipc', '--net', '--pid', '--cgroup', '--root', '--wd'],
  ...['env', '-i', 'PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin', 'HOME=/root', 'TERM=dumb'],
];

const isVm = (suite: Suite | VmSuite): suite is VmSuite => suite.endsWith('-vm');

/** The host's first process: nspawn's only child. */
function leaderOf(directory: string): string | undefined {
  try {
    const nspawn = readFileSync(`${directory}/nspawn`, 'utf8').trim();
    return readFileSync(`/proc/${nspawn}/task/${nspawn}/children`, 'utf8').split(' ')[0] || undefined;
  } catch {
    return undefined;
  }
}

function hostOf(listed: Listed): LabHost {
  const { name, suite, address, address6, port, keyFile, knownHosts } = listed;
  const directory = knownHosts.replace(/\/known_hosts$/, '');
  const exec = (command: string, { input = '' } = {}) => {
    const leader = isVm(suite) ? undefined : leaderOf(directory);
    // Otherwise scripts/lab finds the way in, or says why there is none.
    return leader === undefined
      ? labRun(['exec', name, 'sh', '-c', command], input)
      : run('nsenter', ['--target', leader, ...INSIDE, 'sh', '-c', command], input);
  };
  async function must(command: string): Promise<string> {
    const { exit, out, err } = await exec(command);
    if (exit !== 0) throw new Error(`${name}: ${command}\nexit ${exit}\n${out}${err}`);
    return out.replace(/\n$/, '');
  }
  return {
    name,
    suite,
    address,
    address6,
    port,
    keyFile,
    knownHostsFile: knownHosts,
    root: `${directory}/root`,
    ssh(command, { user = 'root', input = '' } = {}) {
      const options = ['BatchMode=yes', 'IdentitiesOnly=yes', 'StrictHostKeyChecking=yes', 'LogLevel=ERROR'];
      options.push('ConnectTimeout=10', `UserKnownHostsFile=${knownHosts}`);
      const words = options.flatMap((option) => ['-o', option]);
      return run('ssh', ['-F', '/dev/null', '-i', keyFile, ...words, `${user}@${address}`, command], input);
    },
    exec,
    must,
    async container(container, options = '', command = 'sleep 1d') {
      const engine = ENGINES[suite] ?? 'docker';
      await must(`${engine} image inspect busybox >/dev/null 2>&1 || ${engine} import /root/busybox.tar busybox`);
      return must(
        `${engine} rm -f ${container} >/dev/null 2>&1; ${engine} run -d --stop-signal KILL --name ${container} ${options} busybox ${command}`,
      );
    },
    async cut() {
      await call(['cut', name]);
    },
    async fix() {
      await call(['fix', name]);
    },
    async reboot() {
      await call(['reboot', name]);
    },
    async down() {
      await call(['down', name]);
    },
  };
}

async function call(args: readonly string[]): Promise<string> {
  const { exit, out, err } = await labRun(args);
  if (exit !== 0) throw new Error(`scripts/lab ${args.join(' ')}: exit ${exit}\n${err}`);
  return out;
}

function run(program: string, args: readonly string[], input: string): Promise<LabRun> {
  return new Promise((resolve, reject) => {
    const child = spawn(program, args, { stdio: 'pipe' });
    let out = '';
    let err = '';
    child.stdout.setEncoding('utf8').on('data', (text) => {
      out += text;
    });
    child.stderr.setEncoding('utf8').on('data', (text) => {
      err += text;
    });
    child.stdin.on('error', () => {}); // a program that ends without reading its input
    child.stdin.end(input);
    child.on('error', reject);
    child.on('close', (code) => resolve({ exit: code ?? 128, out, err }));
  });
}
