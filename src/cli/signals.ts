/**
 * Signals and uncaught errors: Ctrl-C, SIGTERM, SIGHUP. The first signal aborts the run at the next safe point. A second one stops waiting:
 * hosts in the middle of a change roll back automatically.
 */

import { interrupted } from '../errors/errors.ts';

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
/** One key press can arrive twice: from the terminal, and from a parent that forwards it, such as npm or docker. */
const SAME_PRESS_MS = 250;

export type SignalWatch = {
  readonly signal: AbortSignal;
  /** Resolves at the second signal. */
  readonly insisted: Promise<void>;
  /** Rejects with an error thrown outside any await, for instance in a timer: reported as a bug. */
  readonly stray: Promise<never>;
  stop(): void;
};

/** Listens until `stop`. `onFirst` gets the signal's name. */
export function watchSignals(onFirst: (name: string) => void): SignalWatch {
  const controller = new AbortController();
  let insist = () => {};
  const insisted = new Promise<void>((resolve) => {
    insist = resolve;
  });
  let fail: (error: unknown) => void = () => {};
  const stray = new Promise<never>((_, reject) => {
    fail = reject;
  });
  // Only the race in main handles it, and that may be over.
  stray.catch(() => undefined);
  let firstAt: number | undefined;
  function receive(name: string): void {
    const now = performance.now();
    if (firstAt === undefined) {
      firstAt = now;
      onFirst(name);
      controller.abort(interrupted(`stopped by ${name === 'SIGINT' ? 'Ctrl-C' : name}`));
    } else if (now - firstAt > SAME_PRESS_MS) {
      insist();
    }
  }
  for (const name of SIGNALS) process.on(name, receive);
  process.on('uncaughtException', fail);
  return {
    signal: controller.signal,
    insisted,
    stray,
    stop() {
      for (const name of SIGNALS) process.off(name, receive);
      process.off('uncaughtException', fail);
    },
  };
}
