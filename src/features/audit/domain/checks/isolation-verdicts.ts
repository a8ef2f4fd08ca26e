/** Verdicts on what containers of the audit reached, alone and beside those on settings. */

import { type Check, type Evidence, finding, notApplicable, PASS, type Verdict } from '../check.ts';
import type { Attempt, Tried } from '../isolation.ts';

function cannotTell({ text }: Tried): Verdict {
  return { state: 'not-applicable', reason: `it could not be tried from inside a container: ${text}`, unseen: true };
}

const PLACE = 'container of the audit';

/** The verdict on what happened; `words` describe a success of the container. */
export function judgeAttempt(attempt: Attempt, words: string): Check['evaluate'] {
  return (_, { isolation }) => {
    const tried = isolation?.get(attempt);
    if (tried === undefined) return notApplicable('not tried: docker-tls audit --probe-containers');
    if (tried.state === 'unknown') return cannotTell(tried);
    return tried.state === 'blocked' ? PASS : finding([evidenceOf(tried, words)]);
  };
}

function evidenceOf({ text }: Tried, words: string): Evidence {
  return { place: PLACE, text: text === '' ? words : `${words} (${text})` };
}

/** A verdict by configuration, and what happened: settings do not make up for a container that got through. */
export function orTried(attempt: Attempt, words: string, evaluate: Check['evaluate']): Check['evaluate'] {
  return (facts, outside) => {
    const verdict = evaluate(facts, outside);
    const tried = outside.isolation?.get(attempt);
    if (tried === undefined || tried.state === 'blocked') return verdict;
    if (tried.state === 'unknown') return verdict.state === 'pass' ? cannotTell(tried) : verdict;
    const evidence = evidenceOf(tried, words);
    return verdict.state === 'finding'
      ? { ...verdict, evidence: [...verdict.evidence, evidence] }
      : finding([evidence]);
  };
}
