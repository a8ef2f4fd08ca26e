/** An exported client, and the next steps for its file. */

import type { CommandContext, CommandResult } from '../../cli/command.ts';
import type { BundleFormat } from '../actions/client-bundle.ts';
import type { Exported, ExportOptions } from '../actions/client-export.ts';
import { shellQuote } from '../domain/quote.ts';
import { toolFormat } from '../seams/formats.ts';

export function renderExported(exported: Exported, { options }: CommandContext<unknown, ExportOptions>): CommandResult {
  const { client, format, hosts, key, file } = exported;
  const { out = '', directory = '' } = options;
  const tool = toolFormat(format);
  const result = { client, format, hosts, key };
  if (file === undefined) return { exit: 0, result: { ...result, dryRun: true }, text: `would write ${out}` };
  if (file === '-') return { exit: 0, result, text: '' };
  const next = tool === undefined ? NEXT[format as BundleFormat](out) : unpacking(tool.file, out, directory);
  const written = `${file}: client ${client}${key ? ', with its private key' : ', without a key'}; hosts: ${hosts.join(', ') || 'none'}`;
  const warning =
    format === 'env' && hosts.length > 1
      ? 'DOCKER_HOST is not in it, for there are several hosts: choose one with --hosts\n'
      : '';
  return { exit: 0, result: exported, text: `${written}\n${warning}\n  ${next}` };
}

const NEXT: Readonly<Record<BundleFormat, (file: string) => string>> = {
  tar: (file) => `on the other computer: docker-tls client import ${file}`,
  p12: (file) => `keytool -list -keystore ${file} -storetype PKCS12`,
  env: () => 'in a CI job, with these as secrets: docker-tls client import --from-env',
  pem: (file) => `curl --cert ${file} --cacert ca.pem https://HOST:2376/version`,
};

function unpacking(configuration: string, file: string, directory: string): string {
  const there = shellQuote(directory);
  return `on its computer: install -d -m 700 ${there} && tar -C ${there} -xf ${file}   # ${configuration} is the configuration`;
}
