/** Checks the exit status of a run against the catalogue: a run that prints `error[E_…]` ends with that code's status. */

import { ERROR_GROUPS, type ErrorCode, type ExitStatus } from '../../src/errors/catalogue.ts';

const STATUS = new Map(
  ERROR_GROUPS.flatMap(([, codes]) => Object.entries(codes).map(([code, [exit]]) => [code as ErrorCode, exit])),
);

/**
 * Throws if a run ended with a status that none of its errors allows. In addition to its own status, a code allows 5 (after a rollback), 4
 * (a wrong entry of a fleet file, after changes of other hosts) and 130 (interrupted). A result printed with errors may be more severe than
 * they are.
 */
export function requireStatus({ status, out, err }: { status: number | null; out: string; err: string }): void {
  const codes = errorCodes(out, err);
  const own = codes.map((code) => STATUS.get(code as ErrorCode) as ExitStatus);
  if (codes.length === 0 || status === null) return;
  if (own.includes(undefined as never)) throw new Error(`not in the catalogue: ${codes.join(', ')}`);
  const may = new Set<number>([...own, 5, 130, ...(own.includes(2) ? [4] : []), ...(hasResult(out) ? [3, 7] : [])]);
  const must = own.length === 1 && !hasResult(out) ? new Set<number>([own[0] as number, 5, 130]) : may;
  if (!must.has(status)) throw new Error(`exit status ${status} with ${codes.join(', ')} (${own.join(', ')}):\n${err}`);
}

function errorCodes(out: string, err: string): string[] {
  const error = documentOf(out)?.error;
  if (error !== undefined) return (error.errors ?? [error]).map(({ code }) => code);
  return [...err.matchAll(/^error\[(E_\w+)\]/gm)].map(([, code]) => code as string);
}

function hasResult(out: string): boolean {
  const document = documentOf(out);
  return document === undefined ? out !== '' : document.result !== undefined;
}

type Failure = { readonly code: string };

function documentOf(out: string): { result?: unknown; error?: Failure & { errors?: Failure[] } } | undefined {
  try {
    const document = JSON.parse(out);
    return document?.schema === undefined ? undefined : document;
  } catch {
    return undefined;
  }
}
