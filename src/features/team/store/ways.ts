/** Ways to hosts that the records of a shared store name. */

import { type StoreSettings, shownSettings } from '../../../core/domain/store-settings.ts';

/** The jump hosts of a host, through which this computer logs in; undefined without any. */
export function jumpSettings({
  jump = [],
}: {
  readonly jump?: readonly string[] | undefined;
}): StoreSettings | undefined {
  return jump.length === 0 ? undefined : shownSettings([['logs in through', jump.join(', ')]]);
}

/** The place of a host, where this computer logs in and may send a sudo password. */
export function placeSettings(place: string): StoreSettings {
  return shownSettings([['logs in to', place]]);
}
