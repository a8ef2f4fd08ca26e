/** Docker contexts of `client import`, in a build that makes some. */

import { COPIES } from '../../../../src/core/seams/copies.ts';
import { offeredLines } from '../../../../src/core/seams/seam.ts';

/** Its option for none. */
export const NO_CONTEXT = offeredLines(COPIES, '--no-context');

/** Those that it says it has made. */
export const contextsOf = (...names: readonly string[]) => offeredLines(COPIES, ...names);
