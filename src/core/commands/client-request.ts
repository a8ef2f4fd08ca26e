/** `client request`: a key that is created and kept on this machine, and a certificate request. */

import { defineCommand } from '../../cli/command.ts';
import { CLIENT_OPTIONS, OUT_OPTIONS } from '../../cli/host-options.ts';
import { asWritten } from '../../errors/errors.ts';
import { requestClient } from '../actions/client-request.ts';

export const command = defineCommand({
  scope: ['changes', 'store'],
  about:
    'The key waits in HOME/requests/NAME until `client import` brings its certificate. Send the request to the operator of the CA: it holds no secret.\nAsked again, the same request comes out again; --new makes another key. A renewal goes the same way.',
  examples: [
    'docker-tls client request ann --out ann.csr',
    'where the CA is: docker-tls client sign ann.csr --out ann.tar',
    'here again: docker-tls client import ann.tar',
  ],
  args: { name: { summary: 'name of the client, which daemons see', required: true } },
  options: {
    ...OUT_OPTIONS,
    keyType: CLIENT_OPTIONS.keyType,
    new: { kind: 'flag', summary: 'another key, though a request waits already' },
  },
  async run(context) {
    const result = await requestClient(context, context.args.name, context.options);
    const { client, file, request } = result;
    if (context.global.dryRun)
      return { exit: 0, result: { client, dryRun: true }, text: `would make a request for ${client}` };
    if (file === undefined) return { exit: 0, result, text: request };
    return {
      exit: 0,
      result,
      text: `${file}: request of ${client}; its key waits here`,
      next: [
        asWritten(`where the CA is:  docker-tls client sign ${context.options.out} --out ${client}.tar`),
        `then here:        docker-tls client import ${client}.tar`,
      ],
    };
  },
});
