/** The listener of a host, if it is not the daemon itself. */

import type { Runtime } from '../runtime.ts';
import { LISTENERS, type ListenerRequest, type OpenedListener } from '../seams/listeners.ts';

/** Undefined if the daemon itself accepts clients. */
export async function listenerOpened(
  request: ListenerRequest,
  runtime: Pick<Runtime, 'signal'>,
): Promise<OpenedListener | undefined> {
  const { listener } = request.spec;
  const code = await LISTENERS.all.find(({ name }) => name === listener)?.load();
  return code?.openListener(request, runtime);
}
