/** The smallest role for logged requests: each becomes the line of its endpoint. */

import { ENDPOINTS } from './endpoints.ts';
import { ALWAYS, METHODS, parsePattern, patternExpression } from './role-pattern.ts';

export type SuggestedRole = {
  /** In the order of the API, without those that every role has. */
  readonly lines: readonly string[];
  /** Requests that no line can allow, such as those with encoded characters. */
  readonly left: readonly string[];
};

const PATTERNS = ENDPOINTS.flatMap((text) => {
  const parsed = parsePattern(text);
  return 'problem' in parsed ? [] : [parsed];
});

/** From `METHOD /path` with or without a version. A request that is not one of the Docker API becomes a line of its own. */
export function suggestRole(requests: readonly { readonly method: string; readonly path: string }[]): SuggestedRole {
  const lines = new Set<string>();
  const left = new Set<string>();
  for (const { method, path } of requests) {
    const request = `${method} ${path.replace(/^\/v[0-9]+\.[0-9]+(?:\.[0-9]+(?=\/libpod\/))?(?=\/)/, '')}`;
    const known = PATTERNS.find((pattern) => new RegExp(patternExpression(pattern)).test(request));
    if (known !== undefined) lines.add(known.text);
    else if (METHODS.some((one) => one === method) && !('problem' in parsePattern(request))) lines.add(request);
    else left.add(request);
  }
  const always = (line: string) => ALWAYS.some((one) => one.split(' ')[1] === line.split(' ')[1]);
  const order = (line: string) => ENDPOINTS.indexOf(line) + (ENDPOINTS.includes(line) ? 0 : ENDPOINTS.length + 1);
  const sorted = [...lines]
    .filter((line) => !always(line))
    .sort((one, other) => order(one) - order(other) || (one < other ? -1 : 1));
  return { lines: sorted, left: [...left].sort() };
}

/** For the `roles` of a host, or of the `defaults`, in a fleet file. The role is named after the client. */
export function renderSuggestion(client: string, { lines }: SuggestedRole): string {
  const name = `${
    client
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, '-')
      .replace(/^[^a-z]+|-+$/g, '') || 'client'
  }-role`.slice(0, 32);
  return [
    'roles:',
    ...lines.map((line) => `  - ${name} ${line}`),
    'clients:',
    `  ${JSON.stringify(client)}: { role: ${name} }`,
  ].join('\n');
}
