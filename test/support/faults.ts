/**
 * Faults on purpose: what may die, at every step of a transaction, on a real host; and what has to be true afterwards.
 * The program and its host scripts are built with pauses (`pausingProgram`), so that a fault strikes exactly at its step.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { build, type Plugin } from 'esbuild';
import { compare, faultsOfNew, type HostSnapshot, leftovers, served, settled, snapshot } from './host-state.ts';
import type { LabHost } from './lab.ts';

const root = new URL('../..', import.meta.url).pathname;

/** `commit` is in the middle of the confirmation before it counts, `kept` after; `undo` in the middle of the way back. */
export const STEPS = [
  'lock',
  'arm',
  'stage',
  'validate',
  'keep',
  'protect',
  'switch',
  'restart',
  'verify',
  'commit',
  'kept',
  'undo',
] as const;
export type Step = (typeof STEPS)[number];

export const DEATHS = [
  'controller killed',
  'network cut',
  'sshd killed',
  'disk full',
  'daemon fails',
  'reboot',
  'Ctrl-C',
] as const;
export type Death = (typeof DEATHS)[number];

export type Fault = {
  readonly step: Step;
  readonly death: Death /** The change is the host's first setup, or a later one. */;
  readonly base: 'first' | 'later';
};

/** Seconds within which the host goes back on its own: the shortest that the program takes. */
const CONFIRM_S = 10;

export type PausingProgram = { start(argv: readonly string[], home: string): ChildProcess; remove(): void };

/**
 * The program, built so that a host stops at the step that /run/fault-step names, says so by /run/fault-at, and goes on
 * when /run/fault-go is there. Nothing else differs from what is shipped.
 */
export async function pausingProgram(): Promise<PausingProgram> {
  const folder = mkdtempSync(join(tmpdir(), 'docker-tls-faults-'));
  mkdirSync(join(folder, 'bin'));
  cpSync(join(root, 'bin/docker-tls.js'), join(folder, 'bin/docker-tls.js'));
  cpSync(join(root, 'package.json'), join(folder, 'package.json'));
  const pause = (step: string): string =>
    `if [ "$(cat /run/fault-step 2>/dev/null)" = ${step} ]; then : >/run/fault-at; until [ -e /run/fault-go ]; do sleep 0.05; done; fi`;
  const pauses: Plugin = {
    name: 'pauses',
    setup(builder) {
      builder.onLoad({ filter: /\/(apply|way-back)\.sh$/ }, ({ path }) => {
        let text = readFileSync(path, 'utf8');
        const put = (after: string, line: string): void => {
          if (!text.includes(after)) throw new Error(`${path} has no longer: ${after}`);
          text = text.replace(after, `${after}\n${line}`);
        };
        if (path.endsWith('apply.sh')) put('  # a place to stop at for tests', pause('"$1"'));
        else {
          put('    # commit: nothing counts yet', pause('commit'));
          put('  # finish: the change counts', pause('kept'));
          put('  # undo: half way', pause('undo'));
        }
        return { contents: text, loader: 'text' };
      });
    },
  };
  const define = { DOCKER_TLS_VERSION: JSON.stringify('0.0.0-faults') };
  await build({
    absWorkingDir: root,
    entryPoints: { main: 'src/cli/main.ts' },
    outdir: join(folder, 'dist'),
    bundle: true,
    splitting: true,
    format: 'esm',
    platform: 'node',
    mainFields: ['module', 'main'],
    target: 'node20',
    loader: { '.sh': 'text', '.html': 'text' },
    define,
    plugins: [pauses],
    external: ['cpu-features', '*.node'],
    banner: {
      js: [
        "import { createRequire as __createRequire } from 'node:module';",
        'const require = __createRequire(import.meta.url);',
        'const __dirname = import.meta.dirname;',
        'const __filename = new URL(import.meta.url).pathname;',
      ].join('\n'),
    },
    logLevel: 'error',
  });
  const bin = join(folder, 'bin/docker-tls.js');
  return {
    start: (argv, home) =>
      spawn(process.execPath, [bin, ...argv], {
        stdio: ['ignore', 'pipe', 'pipe'],
        env: { ...process.env, HOME: home },
      }),
    remove: () => rmSync(folder, { recursive: true, force: true }),
  };
}

export type FaultResult = {
  readonly fault: Fault;
  readonly host: string;
  readonly ended: 'old' | 'new' | 'neither';
  /** What was not as it has to be; empty: sound. */
  readonly wrong: readonly string[];
  readonly exit: number | string;
  readonly seconds: number;
  readonly words: string;
};

type Run = {
  readonly child: ChildProcess;
  text(): string;
  readonly ended: Promise<number | string>;
  saw(word: string, withinMs: number): Promise<boolean>;
};

function run(child: ChildProcess): Run {
  let text = '';
  const listen = (chunk: Buffer): void => {
    text += chunk.toString();
  };
  child.stdout?.on('data', listen);
  child.stderr?.on('data', listen);
  const ended = new Promise<number | string>((resolve) =>
    child.once('close', (code, signal) => resolve(code ?? signal ?? 'lost')),
  );
  return {
    child,
    ended,
    text: () => text,
    saw: async (word, withinMs) => {
      const end = Date.now() + withinMs;
      while (Date.now() < end && child.exitCode === null && child.signalCode === null) {
        if (text.includes(word)) return true;
        await sleep(5);
      }
      return text.includes(word);
    },
  };
}

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One host under faults. Its daemon fails once at its next start when /run/fault-daemon exists. */
export class FaultHost {
  readonly #host: LabHost;
  readonly #program: PausingProgram;
  readonly #home: string;
  #count = 0;

  constructor(host: LabHost, program: PausingProgram, home: string) {
    this.#host = host;
    this.#program = program;
    this.#home = home;
  }

  /** Containers, a daemon that can be made to fail, and a disk that can be filled. */
  async prepare(): Promise<void> {
    const { must } = this.#host;
    await this.#host.container('web');
    await this.#host.container('api', '--restart=always -v /var/run/docker.sock:/var/run/docker.sock');
    await must(`mkdir -p /etc/systemd/system/docker.service.d && printf '%s\\n' '[Service]' \
      "ExecStartPre=/bin/sh -c 'if [ -e /run/fault-daemon ]; then rm -f /run/fault-daemon; exit 1; fi'" >/etc/systemd/system/docker.service.d/fault.conf
      systemctl daemon-reload`);
  }

  argv(words: readonly string[]): string[] {
    const { name, address, keyFile } = this.#host;
    return [
      ...words.slice(0, 1),
      `root@${address}`,
      '--name',
      name,
      '-i',
      keyFile,
      '--host-key',
      'accept-new',
      '--no-ca-passphrase',
      '--client',
      'faulty',
      '--confirm-within',
      `${CONFIRM_S}s`,
      '--yes',
      ...words.slice(1),
    ];
  }

  async plainly(words: readonly string[]): Promise<{ exit: number | string; text: string }> {
    const one = run(this.#program.start(words, this.#home));
    return { exit: await one.ended, text: one.text() };
  }

  async #mustRun(words: readonly string[]): Promise<void> {
    const { exit, text } = await this.plainly(words);
    if (exit !== 0) throw new Error(`${this.#host.name}: ${words.join(' ')}: ${exit}\n${text}`);
  }

  /** Brings the host to where the fault's change begins, strikes, and judges. */
  async strike(fault: Fault): Promise<FaultResult> {
    const host = this.#host;
    const began = Date.now();
    this.#count += 1;
    const { name } = host;
    const isSetUp = await host.exec('test -e /var/lib/docker-tls/state.json');
    if (fault.base === 'first' && isSetUp.exit === 0) await this.#mustRun(['remove', name, '--yes']);
    if (fault.base === 'later' && isSetUp.exit !== 0) await this.#mustRun(this.argv(['setup']));
    const before = await snapshot(host);
    const wrong: string[] = leftovers(before).map((line) => `before: ${line}`);
    if (fault.death === 'disk full') await this.#smallDisks();
    await host.must(`rm -f /run/fault-*; printf %s ${fault.step} >/run/fault-step`);
    const change = run(this.#program.start(this.argv(['setup', '--san', `fault${this.#count}.example`]), this.#home));
    try {
      await this.#act(fault, change, wrong);
    } catch (error) {
      wrong.push(`could not strike: ${error instanceof Error ? error.message : String(error)}`);
    }
    const seconds = await settled(host, CONFIRM_S + 30);
    if (seconds === undefined) wrong.push('the host did not come to rest');
    if (fault.death === 'network cut') await host.mend();
    await host.exec(': >/run/fault-go');
    const exit = await Promise.race([change.ended, sleep(60_000).then(() => 'still running')]);
    if (exit === 'still running') change.child.kill('SIGKILL');
    const resting = await settled(host, CONFIRM_S + 30);
    if (resting === undefined) wrong.push('the host did not come to rest after the controller had ended');
    if (fault.death === 'disk full') await host.must('rm -f /etc/fill /var/lib/docker-tls/fill; : ');
    await host.must('rm -f /run/fault-*');
    const ended = await this.#judge(fault, before, wrong);
    const again = await this.plainly(this.argv(['setup', '--san', `fault${this.#count}.example`]));
    if (again.exit !== 0) wrong.push(`a further run failed (${again.exit}): ${again.text.slice(-1500)}`);
    const idle = await this.plainly(['plan', name, '--check']);
    if (idle.exit !== 0) wrong.push(`a plan after that is not empty (${idle.exit}): ${idle.text.slice(-800)}`);
    const after = await snapshot(host);
    wrong.push(...leftovers(after).map((line) => `after a further run: ${line}`));
    return { fault, host: name, ended, wrong, exit, seconds: (Date.now() - began) / 1000, words: change.text() };
  }

  async #act({ step, death }: Fault, change: Run, wrong: string[]): Promise<void> {
    const host = this.#host;
    const { child } = change;
    if (step === 'verify') {
      if (!(await change.saw(': verify', 30_000))) throw new Error(`verify was not reached: ${change.text()}`);
    } else {
      if (step === 'undo') {
        // The way back begins because the change is interrupted.
        if (!(await change.saw(': verify', 30_000))) throw new Error(`verify was not reached: ${change.text()}`);
        child.kill('SIGINT');
      }
      const { exit } = await host.exec(
        'n=0; until [ -e /run/fault-at ]; do sleep 0.02; n=$((n+1)); [ $n -lt 1500 ] || exit 1; done',
      );
      if (exit !== 0) throw new Error(`the step was not reached: ${change.text()}`);
    }
    switch (death) {
      case 'controller killed':
        child.kill('SIGKILL');
        break;
      case 'Ctrl-C':
        child.kill('SIGINT');
        await sleep(200);
        break;
      case 'network cut':
        await host.cut();
        break;
      case 'sshd killed':
        await host.exec(`pkill -KILL -f 'sshd.*: root@notty'`);
        break;
      case 'disk full':
        await host.exec(
          'dd if=/dev/zero of=/etc/fill bs=4k count=5000; dd if=/dev/zero of=/var/lib/docker-tls/fill bs=4k count=5000',
        );
        break;
      case 'daemon fails':
        if (['verify', 'commit', 'kept'].includes(step))
          await host.exec('kill -9 $(systemctl show -p MainPID --value docker)');
        else await host.exec(': >/run/fault-daemon');
        break;
      case 'reboot':
        await host.reboot();
        return;
    }
    const { exit } = await host.exec('docker ps >/dev/null');
    if (exit !== 0 && !['daemon fails'].includes(death) && !['restart', 'undo'].includes(step))
      wrong.push('docker ps did not answer at the fault');
    await host.exec(': >/run/fault-go');
  }

  /** Disks of a few megabytes in place of /etc and our books; they stay for the host's life, or until it reboots. */
  async #smallDisks(): Promise<void> {
    await this.#host.must(`set -e
      mountpoint -q /etc && mountpoint -q /var/lib/docker-tls && exit 0
      mkdir -p /run/copy /var/lib/docker-tls
      cp -a /etc /run/copy/etc && cp -a /var/lib/docker-tls /run/copy/books
      mount -t tmpfs -o size=16m,mode=0755 etc /etc && cp -a /run/copy/etc/. /etc/
      mount -t tmpfs -o size=8m,mode=0700 books /var/lib/docker-tls && cp -a /run/copy/books/. /var/lib/docker-tls/
      rm -rf /run/copy
      systemctl daemon-reload`);
  }

  async #judge(fault: Fault, before: HostSnapshot, wrong: string[]): Promise<FaultResult['ended']> {
    const host = this.#host;
    const { exit } = await host.exec('docker ps >/dev/null');
    if (exit !== 0) wrong.push('local docker ps does not answer');
    const after = await snapshot(host);
    wrong.push(...leftovers(after).map((line) => `left: ${line}`));
    // A boot gives containers new processes and sockets new inodes; the mount of a small disk is the test's own.
    // A daemon that dies without live-restore takes its containers along, whoever changed what: the user has it so.
    const mortal = fault.death === 'daemon fails' && (fault.step === 'commit' || fault.step === 'kept');
    const ignore =
      fault.death === 'reboot'
        ? /^(container|socket inode)/
        : fault.death === 'disk full'
          ? /^(file \/var\/lib\/docker-tls|file \/etc|unit (etc|var-lib-docker).*)$/
          : mortal
            ? /^container/
            : undefined;
    const differences = compare(before, after, ignore);
    let ended: FaultResult['ended'] = 'old';
    if (differences.length > 0) {
      const faults = faultsOfNew(withoutIgnored(before, ignore), withoutIgnored(after, ignore));
      ended = faults.length === 0 ? 'new' : 'neither';
      if (ended === 'neither')
        wrong.push(
          `neither old nor new\n  not old: ${differences.join('\n    ')}\n  not new: ${faults.join('\n    ')}`,
        );
    }
    if (after.has('file /etc/docker/tls/current')) {
      const lies = await host.must('cat /etc/docker/tls/current/server-cert.pem');
      const serves = await served(host);
      if (serves === undefined || !lies.startsWith(serves.trim()))
        wrong.push('another certificate is served than lies on the host');
    } else if ((await served(host)) !== undefined) wrong.push('something answers on the TLS port');
    return ended;
  }
}

function withoutIgnored(state: HostSnapshot, ignore: RegExp | undefined): HostSnapshot {
  return new Map([...state].filter(([name]) => !ignore?.test(name)));
}

/** What does not go together: nothing can be done to a way back by Ctrl-C a second time, and so on. */
export function allFaults(offset: number): Fault[] {
  const faults: Fault[] = [];
  STEPS.forEach((step, row) => {
    DEATHS.forEach((death, column) => {
      faults.push({ step, death, base: (row + column + offset) % 2 === 0 ? 'later' : 'first' });
    });
  });
  return faults;
}
