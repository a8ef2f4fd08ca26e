/** Owns what a check of a Compose file is. */

import { type Check, type Evidence, gravestOf, judge, type Severity, type Verdict } from '../check.ts';
import type { Compose, Service } from './compose-model.ts';
import type { Wrong } from './compose-service.ts';

export type ComposeCheck = Omit<Check, 'evaluate'> & { readonly evaluate: (compose: Compose) => Verdict };

function perService(wrong: (service: Service, compose: Compose) => readonly Wrong[]): ComposeCheck['evaluate'] {
  return (compose) => {
    const evidence = compose.services.flatMap((service) =>
      wrong(service, compose).map((found): Evidence => ({ place: `service ${service.name}`, ...found })),
    );
    return judge(evidence, gravestOf(evidence));
  };
}

/** A check that looks at one thing of each service. */
export function check(
  id: string,
  severity: Severity,
  title: string,
  failure: string,
  why: string,
  fix: string,
  wrong: (service: Service, compose: Compose) => readonly Wrong[],
): ComposeCheck {
  return { id: `compose.${id}`, severity, title, failure, why, fix, evaluate: perService(wrong) };
}
