/**
 * The second and third try of a connection: sshd drops new ones at random when many are at its door at once (MaxStartups),
 * as when a whole fleet goes through one jump host.
 */

const PAUSES_MS = [250, 700];

/** Connects; tries again after a while as long as it fails with what `isDrop` knows as a host that hung up before it spoke. */
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
