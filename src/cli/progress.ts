/**
 * Progress of a run, on stderr. On a terminal each working host has a live line, and finished ones scroll up; otherwise the result of each
 * host is a plain line, and with `verbose` every phase. `--log FILE` gets all of it with times.
 *
 * A renderer of our own, to stay calm from 1 to 200 hosts: it redraws working hosts, as many as fit, and counts the rest in one line.
 */

import pico from 'picocolors';
import { cutText, durationWords, padText, plural, textWidth, wrapLines, wrapText } from '../core/domain/words.ts';
import { FIRST_STEP } from '../core/host/protocol.ts';
import type { HostProgress, Io, Progress } from '../core/runtime.ts';
import { printable } from '../errors/errors.ts';
import type { HintPrefix } from './hint-prefix.ts';
import { createLiveLines, type Resizing } from './live-lines.ts';
import { openLog } from './log-file.ts';

/** A command in a note, which a new line would break. */
const COMMAND_TO_PASTE = /(?:^|\s)(?:docker-tls|docker tls|export) /;

type ProgressOptions = Resizing & {
  readonly io: Io;
  now(): Date;
  /** Prints nothing to the screen (still writes the log file). */
  readonly silent?: boolean;
  /** Every phase of a host, where lines are not redrawn. */
  readonly verbose?: boolean;
  /** Redraw in place: a terminal that can move its cursor. */
  readonly live?: boolean;
  readonly logFile?: string;
  /** Rows of the terminal now; default 24. */
  rows?(): number | undefined;
  /** Rewrites commands into the form that this user types. */
  readonly words?: HintPrefix;
};

type Running = { readonly host: string; readonly phase: string; readonly elapsedMs: number };

export type ProgressScreen = Progress & {
  /** The working hosts with their phase, for the message when the user stops waiting. */
  running(): readonly Running[];
  /** Clears the live lines, does the work (a question, the final text), and redraws them. */
  suspend<T>(work: () => Promise<T>): Promise<T>;
  /** Whether the run has changed anything. */
  hasChanged(): boolean;
  /** Only for the log file. */
  log(text: string): void;
  /** Ends the drawing; later calls have no effect. */
  close(): void;
};

const REDRAW_MS = 120;
const SPINNER = ['⠋', '⠙', '⠹', '⠸', '⠼', '⠴', '⠦', '⠧', '⠇', '⠏'];

/** The phases' names on a terminal; plain lines and the log keep the short names. */
export const PHASE_WORDS: Readonly<Record<string, string>> = {
  connect: 'connecting over ssh',
  facts: 'looking at the host',
  plan: 'planning',
  lynis: 'running lynis',
  probe: 'probing access',
  key: 'having the key made on the host',
  issue: 'issuing the certificate',
  lock: "taking the host's lock",
  arm: 'arming the rollback on the host',
  stage: 'staging files',
  validate: 'letting dockerd check its configuration',
  keep: 'keeping the originals',
  protect: 'enabling live-restore',
  switch: 'putting the new files in place',
  'check-sshd': 'letting sshd check its configuration',
  services: 'letting other services take it in',
  restart: 'restarting the daemon',
  packages: 'asking apt about packages',
  install: 'installing packages',
  isolation: 'trying isolation from inside',
  purge: 'purging packages',
  reload: 'reloading the daemon',
  stop: 'stopping the daemon again',
  verify: 'verifying access',
  confirm: 'confirming',
  'roll back': 'rolling back',
};

type Line = { readonly host: string; phase: string; startedAt: number; phaseAt: number };

/** Errors: E_LOG_FILE (exit 2) if the log file cannot be written now; a later failure is reported once and interrupts no change. */
export function createProgress(options: ProgressOptions): ProgressScreen {
  const { io, words = String } = options;
  const live = options.live === true && options.silent !== true;
  const { green, red, dim, cyan, bold } = pico.createColors(io.colour && io.errIsTerminal);
  const lines = new Map<string, Line>();
  const finished = { done: 0, failed: 0 };
  let frame = 0;
  let [paused, pausedAt] = [0, 0];
  let askedMs = 0;
  let [held, heldOut] = ['', ''];
  let resultShows = false;
  let changed = false;
  let timer: NodeJS.Timeout | undefined;

  const log = openLog(options, (lost) => draw(lost));

  const { erase, draw: drawLines } = createLiveLines(() => io.columns, options);

  function draw(above = ''): void {
    if (options.silent) return;
    if (live && paused > 0) {
      // A question is open: a line printed now would look like part of it.
      held += above;
      return;
    }
    if (!live) {
      if (above !== '') io.err(above);
      return;
    }
    const width = Math.max(20, io.columns - 1);
    const room = Math.max(1, (options.rows?.() ?? 24) - 3);
    const now = performance.now();
    const all = [...lines.values()];
    const shown = all.slice(0, room);
    const nameWidth = Math.min(28, Math.max(0, ...shown.map(({ host }) => textWidth(host))));
    const rows = shown.map(({ host, phase, startedAt }) => {
      const seconds = now - startedAt < 1000 ? '' : wholeSeconds(now - startedAt);
      const name = padText(cutText(host, nameWidth), nameWidth);
      const text = cutText(PHASE_WORDS[phase] ?? phase, Math.max(8, width - nameWidth - seconds.length - 6));
      return `${cyan(SPINNER[frame % SPINNER.length] as string)} ${bold(name)}  ${text}  ${dim(seconds)}`.trimEnd();
    });
    if (all.length > shown.length || (lines.size > 0 && lines.size + finished.done + finished.failed > 5)) {
      rows.push(dim(cutText(counts(lines.size, finished), width)));
    }
    io.err(`${erase()}${above}${drawLines(rows)}`);
  }

  /** Excludes the time spent on a question from the hosts' times. */
  function stopClocks(ms: number): void {
    askedMs += ms;
    const now = performance.now();
    for (const line of lines.values()) {
      line.startedAt = Math.min(now, line.startedAt + ms);
      line.phaseAt = Math.min(now, line.phaseAt + ms);
    }
  }

  /** Lines held back while a question was open. */
  function release(): string {
    const text = held;
    held = '';
    return text;
  }

  function print(text: string): void {
    resultShows = io.outIsTerminal;
    if (!live || !io.outIsTerminal) {
      io.out(text);
    } else if (paused > 0) {
      heldOut += text;
    } else {
      io.err(erase());
      io.out(text);
      draw();
    }
  }

  function printHeld(): void {
    if (heldOut !== '') io.out(heldOut);
    heldOut = '';
  }

  function tick(): void {
    if (!live) return;
    if (lines.size > 0 && timer === undefined) {
      timer = setInterval(() => {
        frame += 1;
        draw();
      }, REDRAW_MS);
      timer.unref();
    } else if (lines.size === 0 && timer !== undefined) {
      clearInterval(timer);
      timer = undefined;
    }
  }

  function finish(host: string, mark: string, word: string, text: string): void {
    const line = lines.get(host);
    const took = line === undefined ? '' : durationWords(performance.now() - line.startedAt);
    lines.delete(host);
    tick();
    const sentence = [word, text].filter((part) => part !== '').join(': ');
    log(`${host}: ${sentence}${took === '' ? '' : ` (${took})`}`);
    if (!live) {
      draw(`${host}: ${sentence}\n`);
      return;
    }
    if (resultShows) {
      draw();
      return;
    }
    const [first = '', ...rest] = wrapText(`${host}  ${text || word}`, Math.max(20, io.columns - 2));
    const parts = [`${mark} ${first.replace(host, () => bold(host))}`, ...rest];
    const fits = textWidth(rest.at(-1) ?? first) + textWidth(took) + 4 < io.columns;
    draw(`${parts.join('\n  ')}${fits ? '  ' : '\n  '}${dim(took)}\n`);
  }

  function host(given: string): HostProgress {
    const name = printable(given, 100);
    return {
      phase(raw) {
        const text = printable(raw, 300);
        const line = lines.get(name);
        const now = performance.now();
        if (line?.phase === text) return;
        changed ||= text === FIRST_STEP;
        if (line) Object.assign(line, { phase: text, phaseAt: now });
        else lines.set(name, { host: name, phase: text, startedAt: now, phaseAt: now });
        log(`${name}: ${text}`);
        tick();
        draw(live || !options.verbose ? '' : `${name}: ${text}\n`);
      },
      done(raw = '') {
        finished.done += 1;
        finish(name, green('✔'), 'done', printable(raw, 300));
      },
      failed(raw) {
        finished.failed += 1;
        finish(name, red('✖'), 'failed', printable(raw, 300));
      },
      pause(raw) {
        if (raw !== undefined) {
          finish(name, dim('·'), '', printable(raw, 300));
          return;
        }
        lines.delete(name);
        tick();
        draw();
      },
    };
  }

  return {
    host,
    log,
    changes() {
      changed = true;
    },
    hasChanged: () => changed,
    print,
    askedMs: () => askedMs + (paused > 0 ? performance.now() - pausedAt : 0),
    note(raw) {
      const plain = printable(words(raw), 1000);
      log(plain);
      const text = io.errIsTerminal && !COMMAND_TO_PASTE.test(plain) ? wrapLines(plain, io.columns) : plain;
      // Nothing stands between the rows of a table.
      if (resultShows) held += `${text}\n`;
      else draw(`${text}\n`);
    },
    running() {
      const now = performance.now();
      return [...lines.values()].map(({ host, phase, phaseAt }) => ({ host, phase, elapsedMs: now - phaseAt }));
    },
    async suspend(work) {
      if (paused === 0) {
        if (live) io.err(erase());
        pausedAt = performance.now();
      }
      paused += 1;
      try {
        return await work();
      } finally {
        paused -= 1;
        if (paused === 0) {
          stopClocks(performance.now() - pausedAt);
          printHeld();
          draw(release());
        }
      }
    },
    close() {
      if (timer !== undefined) clearInterval(timer);
      timer = undefined;
      if (live) io.err(erase());
      printHeld();
      if (held !== '') io.err(release());
      lines.clear();
    },
  };
}

/** A running time, in whole seconds: tenths would flicker. */
function wholeSeconds(ms: number): string {
  return ms < 60_000 ? `${Math.floor(ms / 1000)} s` : durationWords(Math.floor(ms / 1000) * 1000);
}

function counts(working: number, { done, failed }: { done: number; failed: number }): string {
  const parts = [`${plural(working, 'host')} at work`];
  if (done > 0) parts.push(`${done} done`);
  if (failed > 0) parts.push(`${failed} failed`);
  return parts.join(' · ');
}
