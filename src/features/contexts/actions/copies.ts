/** What the core and other features do with docker contexts and the Docker config directory. */

import type { ContextPlace, CopiesCode } from '../../../core/seams/copies.ts';
import { failureOf } from '../../../errors/errors.ts';
import { contextsTo, readContext } from '../adapters/contexts.ts';
import { refreshCopies } from '../adapters/installed-copies.ts';
import { checkContextName } from '../domain/context-name.ts';
import { contextHere, contextsOf, takeContextsAway } from './contexts-of-host.ts';
import { giveContext } from './give-context.ts';
import { checkContexts, giveContexts } from './requested-contexts.ts';
import { askContext, proposeContext, refuseWithoutPort } from './setup-context.ts';

export const copies: CopiesCode = {
  refuseWithoutPort,
  propose: proposeContext,
  ask: askContext,
  check: checkContexts,
  make: giveContexts,
  checkName: checkContextName,
  give: giveContext,
  here: contextHere,
  contextsOf,
  remove: takeContextsAway,
  refresh: refreshCopies,
  endpointOf,
  contextsTo,
};

async function endpointOf(place: ContextPlace): Promise<string | undefined> {
  const found = await readContext(place).catch(failureOf);
  return found !== undefined && 'host' in found ? found.host : undefined;
}
