/** `notices`: turns docker's calls to its plugin after commands on or off. */

import { setHooks } from '../adapters/docker/config-file.ts';
import { dockerConfigDirectory } from '../user.ts';
import type { ActionContext } from './action-context.ts';

export type Notices = { readonly notices: 'on' | 'off'; readonly changed: boolean; readonly dockerConfig: string };

export async function setNotices({ global, runtime }: ActionContext, notices: 'on' | 'off'): Promise<Notices> {
  const dockerConfig = dockerConfigDirectory(runtime);
  const changed = global.dryRun ? false : await setHooks(dockerConfig, notices === 'on');
  return { notices, changed, dockerConfig };
}
