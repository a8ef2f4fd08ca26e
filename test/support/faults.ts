/**
 * Fault injection on a real host: everything that can die, at every step of a transaction, and the required state afterwards. The program
 * and its host scripts are built with pauses (`pausingProgram`), so that a fault strikes exactly at its step.
 */

import type { ChildProcess } from 'node:child_process';
import { type Engine, engineBehind, engineOf, HAPROXY_UNIT } from './engine.ts';
import { compare, faultsOfNew, type HostSnapshot, leftovers, served, settled, snapshot } from './host-state.ts';
import type { LabHost } from './lab.ts';
import { forHost, isOwn, meanOwn, openRun, ownerOf, settingsOf } from './own-docker.ts';
import type { PausingProgram } from './pausing.ts';

/** `commit` is in the middle of the confirmation, before it takes effect, `kept` after; `undo` is in the middle of the rollback. */
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

/** The interrupted change: a first setup, a later one, or another kind of change of a host that is set up. */
export const CHANGES = ['first setup', 'setup', 'rotate', 'rollback', 'remove'] as const;
/** The same where HAProxy accepts clients. `role`: of a client; `to …`: from the other listener; `socket`: for containers, made or removed. */
export const HAPROXY_CHANGES = [
  'first setup',
  'rotate',
  'role',
  'to haproxy',
  'to dockerd',
  'rollback',
  'remove',
  'socket',
] as const;
export type Change = (typeof CHANGES)[number] | (typeof HAPROXY_CHANGES)[number];
export type Listener = 'dockerd' | 'haproxy';

const HAPROXY_SERVICE = 'docker-tls-haproxy.service';
const socketLink = (name: string) => `sockets.target.wants/docker-tls-role@${name}.socket`;
/** Those that restart the daemon also where HAProxy accepts clients. */
const MOVES: readonly Change[] = ['to haproxy', 'to dockerd'];

export type Fault = { readonly step: Step; readonly death: Death; readonly change: Change };

/** Seconds until the automatic rollback: the minimum that the program accepts. */
const CONFIRM_S = 10;

export type FaultResult = {
  readonly fault: Fault;
  readonly host: string;
  readonly ended: 'old' | 'new' | 'neither';
  /** Deviations from the required state; empty: sound. */
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

/** Time limit for a change to reach the step of a fault: a busy machine runs eighteen hosts. */
const REACH_MS = 180_000;

export const sleep = (ms: number): Promise<void> => new Promise((resolve) => setTimeout(resolve, ms));

/** One host under faults. While /run/fault-daemon exists, its daemon fails once at its next start; /run/fault-listener: HAProxy. */
export class FaultHost {
  readonly #host: LabHost;
  readonly #program: PausingProgram;
  readonly #home: string;
  readonly #listener: Listener;
  #count = 0;
  /** The host's state before its first setup. */
  #bare: HostSnapshot = new Map();
  /** Seconds until the rollback: longer than a change takes on this machine, or else every fault would be an expired timer. */
  #confirmS = CONFIRM_S;

  constructor(host: LabHost, program: PausingProgram, home: string, listener: Listener = 'dockerd') {
    this.#host = host;
    this.#program = program;
    this.#home = home;
    this.#listener = listener;
  }

  /** Prepares containers and a daemon that can be made to fail, measures a change on this machine, and records the host's bare state. */
  async prepare(): Promise<void> {
    await meanOwn(this.#host);
    const { command, service, socket } = engineOf(this.#host);
    if (this.#keepsContainers()) {
      await this.#host.container('web');
      // Podman starts no container at boot if its own service for that is off.
      await this.#host.container('api', `--restart=always -v ${socket}:/var/run/docker.sock`);
    }
    await this.#must(`if ! command -v systemctl >/dev/null; then
        echo '[ "$1" != start ] || [ ! -e /run/fault-daemon ] || { rm -f /run/fault-daemon; exit 1; }' >>/etc/default/docker
        exit 0
      fi
      mkdir -p /etc/systemd/system/${service}.d && chown --reference=/etc/systemd/system /etc/systemd/system/${service}.d && printf '%s\\n' '[Service]' \
      "ExecStartPre=/bin/sh -c 'if [ -e /run/fault-daemon ]; then rm -f /run/fault-daemon; exit 1; fi'" >/etc/systemd/system/${service}.d/fault.conf
      systemctl daemon-reload`);
    if (this.#listener === 'haproxy')
      await this.#must(`mkdir -p /etc/systemd/system/${HAPROXY_SERVICE}.d && printf '%s\\n' '[Service]' \
        "ExecStartPre=+/bin/sh -c 'if [ -e /run/fault-listener ]; then rm -f /run/fault-listener; exit 1; fi'" >/etc/systemd/system/${HAPROXY_SERVICE}.d/fault.conf`);
    // Some units of a first boot never run again.
    await this.#host.reboot();
    if (this.#keepsContainers()) await this.#host.must(`${command} start web${command === 'podman' ? ' api' : ''}`);
    this.#bare = await snapshot(this.#host);
    const began = Date.now();
    await this.#mustRun(this.#setup('', 90));
    this.#confirmS = Math.max(CONFIRM_S, Math.ceil((3 * (Date.now() - began)) / 1000));
    await this.#mustRun(['remove', this.#host.name, '--yes']);
  }

  /** A rootless daemon takes its containers down, and setup refuses that. */
  #keepsContainers(): boolean {
    return !isOwn(this.#host);
  }

  /** systemd does not hold the socket of its daemon. */
  #makesItsSocket(): boolean {
    return !this.#bare.has('socket inode');
  }

  #must(script: string): Promise<string> {
    return this.#host.must(forHost(this.#host, script));
  }

  #exec(script: string): ReturnType<LabHost['exec']> {
    return this.#host.exec(forHost(this.#host, script));
  }

  #setup(san: string, confirmS = this.#confirmS, listener = this.#listener): string[] {
    const { name, address, keyFile } = this.#host;
    const words = [
      'setup',
      `${ownerOf(this.#host)}@${address}`,
      '--name',
      name,
      '-i',
      keyFile,
      '--host-key',
      'accept-new',
    ];
    words.push('--no-ca-passphrase', '--client', 'faulty', '--confirm-within', `${confirmS}s`, '--yes');
    if (this.#listener === 'haproxy') words.push('--listener', listener);
    return san === '' ? words : [...words, '--san', san];
  }

  /** Brings the host to the starting point of the change, and returns the change's command line. */
  async #begin(change: Change): Promise<string[]> {
    const host = this.#host;
    const { name } = host;
    const has = async (socket: string) =>
      (await this.#exec(`[ -e /etc/systemd/system/${socketLink(socket)} ]`)).exit === 0;
    // A host with sockets does not go back to dockerd.
    for (const socket of change === 'socket' ? [] : ['ci', 'keep'])
      if (await has(socket)) await this.#mustRun(['socket', 'remove', socket, name, '--yes']);
    const count = await this.#exec('ls /var/lib/docker-tls/generations 2>/dev/null | wc -l');
    let generations = Number(count.out.trim());
    if (change === 'first setup' && generations > 0) await this.#mustRun(['remove', name, '--yes']);
    const needed = change === 'first setup' ? 0 : change === 'rollback' ? 2 : 1;
    const from = change === 'to haproxy' ? 'dockerd' : this.#listener;
    if (MOVES.includes(change)) await this.#mustRun(this.#role('full'));
    for (; generations < needed; generations += 1)
      await this.#mustRun(this.#setup(`before${this.#count}-${generations}.example`, this.#confirmS, from));
    if (needed > 0 && this.#listener === 'haproxy') {
      if ((await this.#accepts()) !== from) await this.#mustRun(this.#setup('', this.#confirmS, from));
      // Two alike: a rollback to another listener, or to another role of a client, is refused.
      for (let left = change === 'rollback' ? 2 : 0; left > 0; left -= 1)
        await this.#mustRun(this.#setup(`before${this.#count}-${left}.example`));
    }
    const hasSocket = await has('ci');
    if (change === 'socket') {
      // One that stays, with a stream: it must keep both its file and its role.
      if (!(await has('keep'))) await this.#mustRun(['socket', 'add', 'keep', name, '--role', 'read', '--yes']);
      await this.#exec(
        'setsid curl -sN --unix-socket /run/docker-tls/keep.sock http://docker/events </dev/null >/dev/null 2>&1 &',
      );
    }
    const ending = ['--confirm-within', `${this.#confirmS}s`, '--yes'];
    switch (change) {
      case 'role':
        return [...this.#role(await this.#otherRole()), ...ending.slice(0, 2)];
      case 'socket':
        return ['socket', ...(hasSocket ? ['remove', 'ci', name] : ['add', 'ci', name, '--role', 'read']), ...ending];
      case 'to dockerd':
        return this.#setup('', this.#confirmS, 'dockerd');
      case 'to haproxy':
        return this.#setup('', this.#confirmS, 'haproxy');
      case 'rotate':
        return ['rotate', 'server', name, ...ending];
      case 'rollback':
        // By number: the previous fault may have been a rollback too.
        return ['rollback', name, '--to', await this.#returnsTo(/"restores": ?(\d+)/), ...ending];
      case 'remove':
        return ['remove', name, ...ending];
      default:
        return this.#setup(this.#san());
    }
  }

  #san(): string {
    return `fault${this.#count}.example`;
  }

  #role(role: string): string[] {
    return ['client', 'add', 'prom', '--role', role, '--yes'];
  }

  async #otherRole(): Promise<string> {
    const { out } = await this.#exec('grep -c "prom/read" /etc/docker/tls/clients.map');
    return out.trim() === '0' ? 'read' : 'monitor';
  }

  /** Who accepts clients on the host now. */
  async #accepts(): Promise<Listener> {
    const { exit } = await this.#exec(`[ -e /etc/systemd/system/${HAPROXY_SERVICE} ]`);
    return exit === 0 ? 'haproxy' : 'dockerd';
  }

  /** The engine with the files and units that a changed host has. */
  #engineAfter(change: Change): Engine {
    return this.#listener === 'haproxy' && change !== 'to dockerd' ? engineBehind(this.#host) : engineOf(this.#host);
  }

  async plainly(words: readonly string[]): Promise<{ exit: number | string; text: string }> {
    const one = run(this.#program.start(words, this.#home));
    return { exit: await one.ended, text: one.text() };
  }

  async #mustRun(words: readonly string[]): Promise<void> {
    const { exit, text } = await this.plainly(words);
    if (exit !== 0) throw new Error(`${this.#host.name}: ${words.join(' ')}: ${exit}\n${text}`);
  }

  /** Brings the host to the starting point of the fault's change, strikes, and evaluates the result. */
  async strike(fault: Fault): Promise<FaultResult> {
    const host = this.#host;
    const began = Date.now();
    this.#count += 1;
    const { name } = host;
    const words = await this.#begin(fault.change);
    const credentials =
      fault.change === 'rollback'
        ? Number(await this.#returnsTo(/"path": ?"[^"]*\/docker\/tls\/current".*?"target": ?"(\d+)"/s))
        : undefined;
    await settled(host, this.#confirmS + 30);
    const before = await snapshot(host);
    const wrong: string[] = left(before).map((line) => `before: ${line}`);
    if (fault.death === 'disk full') await this.#smallDisks();
    await openRun(host);
    await host.must(
      `rm -f /run/fault-*; printf %s ${fault.step === 'restart' ? this.#restarts(fault.change) : fault.step} >/run/fault-step`,
    );
    const change = run(this.#program.start([...words, '-v'], this.#home));
    try {
      await this.#act(fault, change, wrong);
    } catch (error) {
      wrong.push(`could not strike: ${error instanceof Error ? error.message : String(error)}`);
    }
    const seconds = await settled(host, this.#confirmS + 30);
    if (seconds === undefined) wrong.push('the host did not come to rest');
    if (fault.death === 'network cut') await host.fix();
    await host.exec(': >/run/fault-go');
    const exit = await Promise.race([change.ended, sleep(180_000).then(() => 'still running')]);
    if (exit === 'still running') change.child.kill('SIGKILL');
    const resting = await settled(host, this.#confirmS + 30);
    if (resting === undefined) wrong.push('the host did not come to rest after the controller had ended');
    if (fault.death === 'disk full') await this.#must(`rm -f ${settingsOf(host)}/fill /var/lib/docker-tls/fill; : `);
    await host.must('rm -f /run/fault-*');
    const ended = await this.#judge(fault, before, credentials, wrong);
    wrong.push(...untruths(fault, ended, exit, change.text()));
    const target = fault.change === 'to dockerd' ? 'dockerd' : this.#listener;
    const again = await this.plainly(this.#setup(this.#san(), this.#confirmS, target));
    if (again.exit !== 0) {
      const journal = await host.exec(
        `journalctl -b -n 60 -u ${engineOf(host).service} -u containerd -u '*docker-tls*' -o short-precise --no-pager`,
      );
      wrong.push(`a further run failed (${again.exit}): ${again.text.slice(-1500)}`, `its journal: ${journal.out}`);
    }
    const idle = await this.plainly(['plan', name, '--check']);
    if (idle.exit !== 0) wrong.push(`a plan after that is not empty (${idle.exit}): ${idle.text.slice(-800)}`);
    await settled(host, this.#confirmS + 30);
    const after = await snapshot(host);
    wrong.push(...left(after).map((line) => `after a further run: ${line}`));
    return { fault, host: name, ended, wrong, exit, seconds: (Date.now() - began) / 1000, words: change.text() };
  }

  /** The phase of the daemon's restart. A service of docker-tls only stops during its removal. */
  #restarts(change: Change): 'restart' | 'stop' | 'services' {
    const isPodman = engineOf(this.#host).command === 'podman';
    if (isPodman && change === 'remove') return 'stop';
    // Podman's service is ours, and starts with the first setup.
    const isKept = !MOVES.includes(change) && !(isPodman && change === 'first setup');
    return this.#listener === 'haproxy' && isKept ? 'services' : 'restart';
  }

  /** The generation or state that a rollback would restore. */
  async #returnsTo(what: RegExp): Promise<string> {
    const { exit, text } = await this.plainly(['rollback', this.#host.name, '--dry-run', '--json']);
    const to = what.exec(text)?.[1];
    if (exit !== 0 || to === undefined) throw new Error(`${this.#host.name}: no rollback is planned: ${text}`);
    return to;
  }

  async #act({ step, death, change: kind }: Fault, change: Run, wrong: string[]): Promise<void> {
    const host = this.#host;
    const { child } = change;
    if (step === 'verify') {
      if (!(await change.saw(': verify', REACH_MS))) throw new Error(`verify was not reached: ${change.text()}`);
    } else {
      if (step === 'undo') {
        // The interruption of the change starts the rollback. It strikes during the restart, because later phases may end too soon.
        const word = `: ${this.#restarts(kind)}`;
        if (!(await change.saw(word, REACH_MS))) throw new Error(`${word} was not reached: ${change.text()}`);
        child.kill('SIGINT');
      }
      const { exit } = await host.exec(
        `n=0; until [ -e /run/fault-at ]; do sleep 0.02; n=$((n+1)); [ $n -lt ${REACH_MS / 20} ] || exit 1; done`,
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
        await host.exec(`pkill -KILL -f 'sshd.*: ${ownerOf(host)}@notty'`);
        break;
      case 'disk full':
        await this.#exec(
          `dd if=/dev/zero of=${settingsOf(host)}/fill bs=4k count=5000; dd if=/dev/zero of=/var/lib/docker-tls/fill bs=4k count=5000`,
        );
        break;
      case 'daemon fails':
        if (this.#listener === 'haproxy' && kind !== 'to dockerd') await this.#failListener(step);
        else if (['verify', 'commit', 'kept'].includes(step))
          // If none runs, systemd says 0, and kill would hit this shell.
          await this.#exec(`p=${engineOf(host).pid}; [ "$p" -gt 1 ] && kill -9 "$p"`);
        else await host.exec(': >/run/fault-daemon');
        break;
      case 'reboot':
        await host.reboot();
        return;
    }
    const { exit } = await host.exec(`${engineOf(host).command} ps >/dev/null`);
    // Ctrl-C after the restart rolls back at once, and a socket made by dockerd itself is gone during that.
    const restarts =
      ['restart', 'undo'].includes(step) || (step === 'verify' && death === 'Ctrl-C' && this.#makesItsSocket());
    if (exit !== 0 && death !== 'daemon fails' && !restarts) wrong.push('ps did not answer at the fault');
    await host.exec(': >/run/fault-go');
  }

  /** HAProxy dies, if it runs, and fails at its next start; of a change that is not yet in place, which reloads it, the next is that of systemd. */
  async #failListener(step: Step): Promise<void> {
    await this.#exec(`p=$(systemctl show -p MainPID --value ${HAPROXY_SERVICE}); [ "$p" -le 1 ] || kill -9 "$p"
      ${['verify', 'commit', 'kept'].includes(step) ? '' : ': >/run/fault-listener'}`);
  }

  /** Mounts disks of a few megabytes over the settings and over our records; they stay until the host ends or reboots. */
  async #smallDisks(): Promise<void> {
    const settings = settingsOf(this.#host);
    await this.#must(`set -e
      mountpoint -q ${settings} && mountpoint -q /var/lib/docker-tls && exit 0
      [ -d /var/lib/docker-tls ] || install -d -o ${ownerOf(this.#host)} -g ${ownerOf(this.#host)} /var/lib/docker-tls
      mkdir -p /run/copy
      cp -a ${settings} /run/copy/settings && cp -a /var/lib/docker-tls /run/copy/records
      mount -t tmpfs -o size=16m settings ${settings} && cp -a /run/copy/settings/. ${settings}/
      mount -t tmpfs -o size=8m records /var/lib/docker-tls && cp -a /run/copy/records/. /var/lib/docker-tls/
      chmod 0700 /var/lib/docker-tls
      rm -rf /run/copy
      ! command -v systemctl >/dev/null || systemctl daemon-reload`);
  }

  async #judge(
    fault: Fault,
    before: HostSnapshot,
    credentials: number | undefined,
    wrong: string[],
  ): Promise<FaultResult['ended']> {
    const host = this.#host;
    const { command } = engineOf(host);
    const { exit } = await host.exec(`${command} ps >/dev/null`);
    if (exit !== 0) wrong.push(`local ${command} ps does not answer`);
    const after = await snapshot(host);
    wrong.push(...left(after).map((line) => `left: ${line}`));
    // A boot gives containers new processes and sockets new inodes; the test itself mounts the small disk. A daemon that dies without
    // live-restore takes its containers down after any change: that is the user's setting.
    const mortal = fault.death === 'daemon fails' && (fault.step === 'commit' || fault.step === 'kept');
    const ignore =
      fault.death === 'reboot'
        ? /^(container|socket inode)/
        : fault.death === 'disk full'
          ? /^(file (\/var\/lib\/docker-tls|\/etc|\/home\/rooty\/\.config)|unit (etc|home-rooty|var-lib-docker).*)$/
          : mortal
            ? /^container/
            : undefined;
    const differences = compare(before, after, ignore);
    let ended: FaultResult['ended'] = 'old';
    if (differences.length > 0) {
      const faults =
        fault.change === 'remove'
          ? compare(merged(this.#bare, before), after, ignore)
          : faultsOfNew(
              host,
              withoutIgnored(before, ignore),
              withoutIgnored(after, ignore),
              credentials,
              this.#engineAfter(fault.change),
            );
      ended = faults.length === 0 ? 'new' : 'neither';
      if (ended === 'neither')
        wrong.push(
          `neither old nor new\n  not old: ${differences.join('\n    ')}\n  not new: ${faults.join('\n    ')}`,
        );
    }
    if (after.has('file /etc/docker/tls/current')) {
      const lies = await this.#must('cat /etc/docker/tls/current/server-cert.pem');
      const serves = await served(host);
      if (serves === undefined || !lies.startsWith(serves.trim()))
        wrong.push('another certificate is served than lies on the host');
    } else if ((await served(host)) !== undefined) wrong.push('something answers on the TLS port');
    return ended;
  }
}

/** What must never be left. HAProxy's directory and Podman's socket are there while it runs, that of sockets for containers with such a socket. */
function left(state: HostSnapshot): string[] {
  const runs = state.has(HAPROXY_UNIT);
  const hasSockets = [...state.keys()].some((name) => /docker-tls-role@.+\.socket$/.test(name));
  return leftovers(state).filter(
    (name) =>
      !(runs && /^file \/run\/docker-tls-(haproxy|podman\.sock)$/.test(name)) &&
      !(hasSockets && name === 'file /run/docker-tls'),
  );
}

/** The host's bare state, with its present containers and socket. */
function merged(bare: HostSnapshot, now: HostSnapshot): HostSnapshot {
  const lives = ([name]: [string, string]): boolean => /^(container |socket inode)/.test(name);
  return new Map([...[...bare].filter((line) => !lives(line)), ...[...now].filter(lives)]);
}

/** Contradictions between the host's real state and the exit status or the messages. */
function untruths({ death }: Fault, ended: FaultResult['ended'], exit: number | string, text: string): string[] {
  if (death === 'controller killed' || ended === 'neither') return [];
  const said = (words: RegExp): boolean => words.test(text.replace(/\s+/g, ' '));
  const claim =
    exit === 0
      ? 'new'
      : said(/may have kept the change|has kept the change/)
        ? ended
        : said(
              /back in its previous state|was rolled back|had already rolled back|nothing was changed|runs as before|rolls back by itself|roll back automatically/,
            )
          ? 'old'
          : undefined;
  if (typeof exit !== 'number' || ![0, 4, 5, 7, 130].includes(exit))
    return [`it ended with ${exit}: ${text.slice(-1500)}`];
  if (claim === undefined) return [`exit ${exit}, and not a word of what became of the host: ${text.slice(-1500)}`];
  return claim === ended ? [] : [`it says ${claim} (exit ${exit}), and the host is ${ended}: ${text.slice(-1500)}`];
}

function withoutIgnored(state: HostSnapshot, ignore: RegExp | undefined): HostSnapshot {
  return new Map([...state].filter(([name]) => !ignore?.test(name)));
}

/** Changes that have a step, where HAProxy accepts clients. Only a restart of the daemon needs live-restore; nothing of a removal is checked. */
const WITH_STEP: Readonly<Partial<Record<Step, readonly Change[]>>> = {
  protect: MOVES,
  validate: ['first setup', 'rotate', 'role', 'to haproxy', 'socket'],
};

/** Every step with every possible death; `offset` shifts the kinds of change among them. `moves`: the host can have the other listener too. */
export function allFaults(offset: number, listener: Listener = 'dockerd', moves = true): Fault[] {
  return STEPS.flatMap((step, row) =>
    DEATHS.map((death, column): Fault => {
      if (listener === 'haproxy') {
        const all: readonly Change[] = WITH_STEP[step] ?? HAPROXY_CHANGES;
        const having = moves ? all : all.filter((change) => !MOVES.includes(change));
        return { step, death, change: having[(row + column + offset) % having.length] as Change };
      }
      const change = CHANGES[(row + column + offset) % CHANGES.length] as Change;
      // validate is skipped if the daemon already runs with everything that it will be started with.
      return { step, death, change: step === 'validate' ? 'first setup' : change };
    }),
  );
}
