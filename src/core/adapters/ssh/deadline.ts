/** A time limit that pauses during questions. */

/** Of both transports, unless the options have others. */
export const CONNECT_TIMEOUT_MS = 20_000;
export const KEEPALIVE_MS = 15_000;

/** Calls `expired` once, after `limitMs` of unpaused time. */
export class Deadline {
  #left: number;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;
  readonly #expired: () => void;

  constructor(limitMs: number, expired: () => void) {
    this.#left = limitMs;
    this.#expired = expired;
    this.resume();
  }

  resume(): void {
    if (this.#timer !== undefined) return;
    this.#since = performance.now();
    this.#timer = setTimeout(this.#expired, Math.max(0, this.#left));
  }

  /** Stops the clock, temporarily or for good. */
  pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#since;
  }

  /** Runs a question while the clock is paused. */
  async during<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    this.pause();
    try {
      return await question();
    } finally {
      this.resume();
    }
  }
}
