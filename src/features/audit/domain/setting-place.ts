/** Places of dockerd's settings. */

import { setting } from '../../../core/domain/dockerd/daemon-options.ts';

/** Location of a setting, for evidence; for an unset one, the file that would contain it. */
export function settingPlace(options: Parameters<typeof setting>[0], key: string): string {
  return setting(options, key)?.place ?? options.json.path;
}
