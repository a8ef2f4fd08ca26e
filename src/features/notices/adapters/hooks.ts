/** The hooks of the plugin in Docker's config.json. */

import { editConfig } from '../../../core/adapters/docker/config-file.ts';

/** After these commands docker calls the plugin for a message (docker/cli, cli-plugins/manager/hooks.go). */
const HOOKED =
  'build,buildx,compose,container,create,exec,image,images,info,logs,ps,pull,push,run,start,system,version';

/** Makes docker call our plugin after its commands, or stops it. Docker calls no plugin without its feature `hooks`, so that stays on. */
export function setHooks(dockerConfig: string, on: boolean): Promise<boolean> {
  return editConfig(
    dockerConfig,
    on
      ? [
          [['features', 'hooks'], 'true'],
          [['plugins', 'tls', 'hooks'], HOOKED],
        ]
      : [[['plugins', 'tls'], undefined]],
  );
}
