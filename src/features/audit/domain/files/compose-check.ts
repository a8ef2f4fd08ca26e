/** Type of a check of a Compose file. */

import { type Check, gravestOf, judge, type Verdict } from '../check.ts';
import { CONTAINER_CHECKS } from '../checks/containers.ts';
import { IMAGE_CHECKS } from '../checks/images.ts';
import type { Compose, Service } from './compose-model.ts';
import { evidenceOf, type Wrong } from './compose-service.ts';

export type ComposeCheck = Omit<Check, 'evaluate'> & { readonly evaluate: (compose: Compose) => Verdict };

/** Judges each service. */
export function perService(wrong: (service: Service, compose: Compose) => readonly Wrong[]): ComposeCheck['evaluate'] {
  return (compose) => {
    const evidence = compose.services.flatMap((service) =>
      wrong(service, compose).map((found) => evidenceOf(`service ${service.name}`, found)),
    );
    return judge(evidence, gravestOf(evidence));
  };
}

/**
 * Checks with the numbers of running containers or their images, for services before their start; missing fields come from those checks.
 */
export function asRunning(
  rows: Readonly<Record<string, Partial<ComposeCheck> & Pick<ComposeCheck, 'evaluate'>>>,
): readonly ComposeCheck[] {
  return Object.entries(rows).map(([number, row]) => {
    const found = [...CONTAINER_CHECKS, ...IMAGE_CHECKS].find(({ id }) => id === number);
    if (found === undefined) throw new Error(`no check ${number}`);
    const { severity, title, failure, why, fix } = found;
    return { severity, title, failure, why, fix, ...row, id: `compose.${number}` };
  });
}
