/** The option of `client import` for no docker contexts, in a build that makes some. */

import { COPIES } from '../../../../src/core/seams/copies.ts';
import { offeredLines } from '../../../../src/core/seams/seam.ts';

export const NO_CONTEXT = offeredLines(COPIES, '--no-context');
