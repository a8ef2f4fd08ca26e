/** The limit of concurrent commands per connection: sshd opens at most MaxSessions (10 by default). */

import { DockerTlsError } from '../../../errors/errors.ts';
import type { Channel, OpenChannel } from './channel.ts';

const MOST_CHANNELS = 8;

/** Wraps an opener so that at most MOST_CHANNELS are open. If the host refuses one while others run, it is retried after them. */
export function withSemaphore(open: OpenChannel): OpenChannel {
  let running = 0;
  let most = MOST_CHANNELS;
  const waiting: (() => void)[] = [];
  function release(): void {
    running -= 1;
    waiting.shift()?.();
  }
  return async function openInTurn(words): Promise<Channel> {
    while (running >= most) await new Promise<void>((resolve) => waiting.push(resolve));
    running += 1;
    try {
      const channel = await open(words);
      void channel.ended.then(release);
      return channel;
    } catch (error) {
      release();
      if (running > 0 && error instanceof DockerTlsError && error.code === 'E_SSH_NO_SHELL') {
        most = running;
        return await openInTurn(words);
      }
      throw error;
    }
  };
}
