/**
 * Connection retries: sshd randomly drops new connections when many arrive at once (MaxStartups), as when a whole fleet uses one jump host.
 */

const PAUSES_MS = [250, 700];

/** Connects; retries after a delay while `isDrop` recognises the error: the host hung up before it sent anything. */
export async function withRetry<T>(connect: () => Promise<T>, isDrop: (error: unknown) => boolean): Promise<T> {
  for (const pauseMs of PAUSES_MS) {
    try {
      return await connect();
    } catch (error) {
      if (!isDrop(error)) throw error;
      await new Promise((resolve) => setTimeout(resolve, pauseMs * (0.5 + Math.random())));
    }
  }
  return await connect();
}
