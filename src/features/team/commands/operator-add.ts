/** `operator add NAME [RECIPIENT]`: grants a user or runner access to a shared store. */

import { type CommandResult, defineCommand } from '../../../cli/command.ts';
import { FILE } from '../../../cli/host-options.ts';
import { shellQuote } from '../../../core/domain/quote.ts';
import { asWritten, usage } from '../../../errors/errors.ts';
import { recipientsIn } from '../actions/recipients.ts';
import { sharedStoreOf } from '../actions/team-session.ts';
import { addOperator } from '../store/admin.ts';
import { checkRecipient } from '../store/age.ts';
import type { Operator } from '../store/operators.ts';
import { noRecipient } from '../store/ssh-keys.ts';
import { type OperatorDocument, operatorDocument } from './operator-document.ts';

export type OperatorAddDocument = { readonly operator: OperatorDocument; readonly dryRun?: true };

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'RECIPIENT is an SSH public key (ed25519 or rsa), a recipient of age (age1…), or a file with one; without it your own SSH key is taken. On an empty store this makes you its first operator. For an operator who exists, --client gives them a client, and --signing-key another key that signs; nothing else changes.\nYour private key is looked for in DOCKER_TLS_IDENTITY, ~/.config/docker-tls/identity, ~/.ssh/id_ed25519 and ~/.ssh/id_rsa. A key that only an agent or a security key holds cannot decrypt, but it can sign: name it with --signing-key.',
  examples: [
    'docker-tls --store git+ssh://git@git.example.org/ops/docker-tls.git operator add ada',
    'docker-tls operator add bob "$(cat bob.pub)"',
    'docker-tls operator add bob bob.pub --signing-key bob-sk.pub',
    'docker-tls operator add ci ci.pub --without-ca',
    'docker-tls operator add ci --client ci',
  ],
  args: {
    name: { summary: 'what colleagues call the operator', required: true },
    recipient: { summary: 'an SSH public key, age1…, or a file with one' },
  },
  options: {
    withoutCa: {
      kind: 'flag',
      summary: 'may look only: status, audit, plan, log; verify and env as the client that --client names',
    },
    signingKey: {
      ...FILE,
      value: 'KEY|FILE',
      summary: 'an SSH public key that signs their changes in place of RECIPIENT: their agent holds it',
    },
    client: {
      kind: 'text',
      value: 'NAME',
      summary: "the operator's own client: they can open its key without the CA",
      completes: 'client',
    },
  },
  /** RECIPIENT: text, or the path of a file with it. With --dry-run only checks for obstacles. */
  async run(context): Promise<CommandResult<OperatorAddDocument>> {
    const { name, recipient } = context.args;
    const { withoutCa, client, signingKey: signing } = context.options;
    const { dryRun } = context.global;
    const session = sharedStoreOf(context);
    const [text, ...more] = recipient === undefined ? [] : await recipientsIn(recipient, context.runtime.cwd);
    if (recipient !== undefined && more.length > 0) {
      await checkRecipient(text ?? '');
      throw noRecipient(recipient, 'the file holds several keys, and an operator has one');
    }
    if (signing !== undefined && withoutCa)
      throw usage('--signing-key means nothing with --without-ca: this operator signs nothing', [
        `docker-tls operator add ${shellQuote(name)} RECIPIENT --without-ca`,
      ]);
    const [signingKey, ...others] = signing === undefined ? [] : await recipientsIn(signing, context.runtime.cwd);
    if (signing !== undefined && others.length > 0)
      throw noRecipient(signing, 'the file holds several keys, and an operator signs with one');
    const wanted = { name, recipient: text, ca: !withoutCa, client, signingKey };
    const operator = await addOperator(session, wanted, { dryRun });
    const can = rightsOf(operator);
    if (dryRun)
      return {
        exit: 0,
        result: { operator: operatorDocument(operator), dryRun },
        text: `would add operator ${name}, who ${can}`,
      };
    return {
      exit: 0,
      result: { operator: operatorDocument(operator) },
      text: `operator ${name}: ${can}`,
      next: [
        ...(recipient === undefined
          ? []
          : [asWritten(`on that computer: docker-tls --store ${shellQuote(session.url)} status`)]),
        'docker-tls operator list',
      ],
    };
  },
});

function rightsOf({ ca, client }: Operator): string {
  if (ca) return 'can open the CA, and change the store';
  return client === undefined
    ? 'can look, but not open the CA'
    : `can look and verify, but not open the CA; the key of client ${client} is readable`;
}
