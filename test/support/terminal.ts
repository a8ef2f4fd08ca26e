/** Runs a program in a real terminal (a pty) and returns its screen as text, as a user would see it. */

import { setTimeout as wait } from 'node:timers/promises';
import { type IPty, spawn } from '@lydell/node-pty';
import headless from '@xterm/headless';

export const KEYS = {
  enter: '\r',
  ctrlC: '\u0003',
  ctrlD: '\u0004',
  up: '\u001b[A',
  down: '\u001b[B',
  backspace: '\u007f',
} as const;

export type TerminalOptions = {
  readonly columns?: number;
  readonly rows?: number;
  readonly cwd?: string;
  readonly env?: Readonly<Record<string, string>>;
};

/** Characters of one look, in the order of a line. `colour`: of the 16 of a terminal, 0 to 15. */
export type StyledRun = {
  readonly text: string;
  readonly colour?: number;
  readonly bold?: true;
  readonly dim?: true;
};

export type TerminalProgram = {
  readonly pid: number;
  /** The screen and its scrollback, without trailing spaces. */
  screen(): string;
  /** The same lines, wrapped as the terminal shows them, with their look. */
  styled(): StyledRun[][];
  /** Every screen that differed from the previous one, to inspect intermediate states. */
  readonly frames: readonly string[];
  /** Resolves to the screen once it contains the text; throws, with the screen, if the program ends or 60 s pass first. */
  see(text: string | RegExp, timeoutMs?: number): Promise<string>;
  /** Resolves once the text was written, even if it has left the screen by the time of the check. */
  passes(text: string, timeoutMs?: number): Promise<void>;
  /** Ctrl-C at the moment that the text is written: the program does nothing further before it. */
  interrupt(text: string): Promise<void>;
  /** Types once the text is on the screen, below the texts of earlier calls. */
  answer(text: string | RegExp, keys: string): Promise<void>;
  type(keys: string): void;
  /** The program's exit status; a signal counts as 128 and its number. */
  readonly ended: Promise<number>;
  kill(): void;
};

/** Starts a program in a terminal, by default of 80 by 40. The environment is exactly `env`. */
export function openTerminal(
  file: string,
  argv: readonly string[],
  { columns = 80, rows = 40, cwd = process.cwd(), env = {} }: TerminalOptions = {},
): TerminalProgram {
  const terminal = new headless.Terminal({ cols: columns, rows, scrollback: 5000, allowProposedApi: true });
  const pty: IPty = spawn(file, [...argv], {
    name: 'xterm-256color',
    cols: columns,
    rows,
    cwd,
    env: { TERM: 'xterm-256color', ...env },
  });
  const frames: string[] = [];
  let over: number | undefined;
  let answered = 0;
  let said = '';
  const written: Promise<void>[] = [];
  let watch = (): void => {};

  function screen(): string {
    const buffer = terminal.buffer.active;
    const lines: string[] = [];
    for (let row = 0; row < buffer.length; row += 1) {
      const line = buffer.getLine(row);
      const text = line?.translateToString(true) ?? '';
      if (line?.isWrapped && lines.length > 0) lines[lines.length - 1] += text;
      else lines.push(text);
    }
    return lines.join('\n').trimEnd();
  }

  function styled(): StyledRun[][] {
    const buffer = terminal.buffer.active;
    const lines: StyledRun[][] = [];
    for (let row = 0; row < buffer.length; row += 1) {
      const line = buffer.getLine(row);
      const runs: { text: string; look: string }[] = [];
      for (let column = 0; column < (line?.length ?? 0); column += 1) {
        const cell = line?.getCell(column);
        if (cell === undefined || cell.getWidth() === 0) continue;
        const look = JSON.stringify({
          ...(cell.isFgPalette() ? { colour: cell.getFgColor() } : {}),
          ...(cell.isBold() ? { bold: true } : {}),
          ...(cell.isDim() ? { dim: true } : {}),
        });
        const last = runs.at(-1);
        if (last?.look === look) last.text += cell.getChars() || ' ';
        else runs.push({ text: cell.getChars() || ' ', look });
      }
      const end = runs.at(-1);
      if (end !== undefined) end.text = end.text.trimEnd();
      lines.push(runs.filter(({ text }) => text !== '').map(({ text, look }) => ({ text, ...JSON.parse(look) })));
    }
    while (lines.at(-1)?.length === 0) lines.pop();
    return lines;
  }

  pty.onData((data) => {
    said += data;
    watch();
    written.push(
      new Promise<void>((resolve) => {
        terminal.write(data, () => {
          const now = screen();
          if (now !== frames.at(-1)) frames.push(now);
          resolve();
        });
      }),
    );
  });
  const ended = new Promise<number>((resolve) => {
    pty.onExit(({ exitCode, signal }) => resolve(signal ? 128 + signal : exitCode));
  }).then(async (status) => {
    await wait(20); // the last output may come after the end
    await Promise.all(written);
    over = status;
    return status;
  });

  /** The end of the text on the screen, at or after `from`; -1 if missing. */
  function find(text: string | RegExp, from: number): number {
    const rest = screen().slice(from);
    if (typeof text === 'string') return rest.includes(text) ? from + rest.indexOf(text) + text.length : -1;
    const match = text.exec(rest);
    return match === null ? -1 : from + match.index + match[0].length;
  }

  /** Waits until `look` returns something other than -1. */
  async function until(text: string | RegExp, look: () => number, timeoutMs: number): Promise<number> {
    const deadline = performance.now() + timeoutMs;
    for (;;) {
      const at = look();
      if (at >= 0) return at;
      if (over !== undefined) throw new Error(`the program ended with ${over} before "${text}":\n${screen()}`);
      if (performance.now() > deadline) throw new Error(`"${text}" did not come:\n${screen()}`);
      await wait(10);
    }
  }

  return {
    pid: pty.pid,
    frames,
    screen,
    styled,
    async see(text, timeoutMs = 60_000) {
      await until(text, () => find(text, 0), timeoutMs);
      return screen();
    },
    async passes(text, timeoutMs = 60_000) {
      await until(text, () => said.indexOf(text), timeoutMs);
    },
    async interrupt(text) {
      const stopped = new Promise<void>((resolve) => {
        watch = () => {
          if (!said.includes(text)) return;
          watch = () => {};
          process.kill(pty.pid, 'SIGSTOP');
          resolve();
        };
        watch();
      });
      await Promise.race([stopped, until(text, () => said.indexOf(text), 60_000)]);
      pty.write(KEYS.ctrlC);
      await wait(20);
      process.kill(pty.pid, 'SIGCONT');
    },
    async answer(text, keys) {
      answered = await until(text, () => find(text, Math.min(answered, screen().length)), 60_000);
      pty.write(keys);
    },
    type: (keys) => pty.write(keys),
    ended,
    kill: () => {
      if (over === undefined) pty.kill('SIGKILL');
    },
  };
}
