/** Answers of the sockets for containers, and what a verification makes of them. */

import { apiAnswers, parseSections, type Section } from '../../../core/domain/dockerd/sections.ts';
import type { ProbeCheck } from '../../../core/domain/plan/outcome.ts';
import type { RoleSocket } from './haproxy-config.ts';
import { socketWho } from './program-sockets.ts';

type Answers = ReturnType<typeof apiAnswers>;

/** Answers by socket; undefined if the output is incomplete. A section with the socket's name follows its answers. */
export function parseAnswers(stdout: Buffer): ReadonlyMap<string, Answers> | undefined {
  const sections = parseSections(stdout, 'listener');
  if (sections === undefined) return undefined;
  const found = new Map<string, Answers>();
  let own: Section[] = [];
  for (const section of sections) {
    if (section.name.startsWith('api ')) own.push(section);
    else {
      found.set(section.name, apiAnswers(own));
      own = [];
    }
  }
  return found;
}

/** Any HTTP answer counts, also to a request that the role refuses. */
export function answered(answers: Answers): boolean {
  return [...answers.values()].some(({ status }) => status !== 0);
}

/** `outside`: path that the role must not GET; undefined: it allows all that are known. `onHost`: whose systemd runs the listener. */
export function judgeSocket(
  { name, role, outside }: RoleSocket & { readonly outside: string | undefined },
  answers: Answers,
  onHost: NonNullable<ProbeCheck['onHost']>,
): ProbeCheck[] {
  const status = answers.get('/_ping')?.status ?? 0;
  const who = socketWho(name);
  const accepted = status >= 200 && status < 300;
  const first: ProbeCheck = {
    ...{ who, expected: 'accepted', ok: accepted, onHost, elapsedMs: 0 },
    outcome: accepted ? 'accepted' : status === 0 ? 'no answer' : `status ${status}`,
  };
  if (outside === undefined) return [first];
  const request = `GET ${outside}`;
  const refused = answers.get(outside);
  const ok =
    refused?.status === 403 && refused.body.startsWith(`{"message":"docker-tls: socket ${name} has the role ${role},`);
  return [
    first,
    {
      ...{ who: `${who} (${role}), ${request}`, expected: 'refused', ok, request, onHost, elapsedMs: 0 },
      outcome: ok ? 'rejected by its role' : `not rejected by its role: status ${refused?.status ?? 0}`,
    },
  ];
}
