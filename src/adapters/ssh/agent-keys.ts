/**
 * Owns the agent's list of keys by type (draft-ietf-sshm-ssh-agent, section 3.5). ssh2 leaves out what it cannot use without a word:
 * security keys and certificates, whose owner then reads that there was no key.
 */

import { connect } from 'node:net';

const REQUEST_IDENTITIES = Buffer.from([0, 0, 0, 1, 11]);
const IDENTITIES_ANSWER = 12;
const LONGEST_ANSWER = 1024 * 1024;
const TIMEOUT_MS = 5000;

export type AgentKey = { readonly type: string; readonly comment: string };

/** What the agent at `socket` holds; nothing when it does not answer in its protocol. Never rejects. */
export async function listAgentKeys(socket: string): Promise<readonly AgentKey[]> {
  const answer = await new Promise<Buffer>((resolve) => {
    let bytes = Buffer.alloc(0);
    const agent = connect(socket, () => agent.write(REQUEST_IDENTITIES));
    const end = (): void => {
      agent.destroy();
      resolve(bytes);
    };
    agent.setTimeout(TIMEOUT_MS, end);
    agent.on('error', end).on('close', end);
    agent.on('data', (chunk) => {
      bytes = Buffer.concat([bytes, chunk]);
      if (bytes.length > LONGEST_ANSWER || (bytes.length >= 4 && bytes.length >= 4 + bytes.readUInt32BE(0))) end();
    });
  });
  return parseIdentities(answer);
}

/** The keys of an SSH_AGENT_IDENTITIES_ANSWER with its length in front; what is cut off or strange is left out. */
export function parseIdentities(answer: Buffer): readonly AgentKey[] {
  const keys: AgentKey[] = [];
  if (answer[4] !== IDENTITIES_ANSWER) return keys;
  let at = 9;
  const string = (): Buffer => {
    const end = at + 4 + answer.readUInt32BE(at);
    const bytes = answer.subarray(at + 4, end);
    at = end;
    return bytes;
  };
  try {
    while (at < answer.length) {
      const blob = string();
      const comment = string().toString('utf8');
      keys.push({ type: blob.toString('latin1', 4, 4 + blob.readUInt32BE(0)), comment });
    }
  } catch {
    // It ends in the middle of a key.
  }
  return keys;
}
