/** A time limit that pauses while a question waits for its answer. */

/** Calls `expired` once when `limitMs` have passed in which it was not paused. */
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

  /** Stops for now, or for good. */
  pause(): void {
    if (this.#timer === undefined) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#left -= performance.now() - this.#since;
  }

  /** Runs a question with the clock standing still. */
  async during<Answer>(question: () => Promise<Answer>): Promise<Answer> {
    this.pause();
    try {
      return await question();
    } finally {
      this.resume();
    }
  }
}
