/** Checks that the --json documents of tests are as schema/ has them. */

import { existsSync, readFileSync } from 'node:fs';
import { Ajv } from 'ajv';

const directory = new URL('../../schema/', import.meta.url);
const ajv = new Ajv({ allErrors: true, formats: { 'date-time': /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d+)?Z$/ } });

/** Throws unless `out` is one document of the command that it names. */
export function requireDocument(out: string): void {
  const document = JSON.parse(out);
  const name = `${String(document.command).replaceAll(' ', '-')}.json`;
  // Calls that name no command have the document of help.
  const file = /^[\w-]+\.json$/.test(name) && existsSync(new URL(name, directory)) ? name : 'help.json';
  const validate = ajv.getSchema(file) ?? ajv.addSchema(schemaIn(file), file).getSchema(file);
  if (validate?.(document) === true) return;
  const problems = validate?.errors?.map(({ instancePath, message, params }) => {
    return `${instancePath} ${message} ${JSON.stringify(params)}`;
  });
  throw new Error(`not a document of schema/${file}:\n${problems?.slice(0, 20).join('\n')}\n${out}`);
}

function schemaIn(file: string): object {
  return JSON.parse(readFileSync(new URL(file, directory), 'utf8'));
}

/** Whether the call asks for a document: after `--`, and for completion, it does not. */
export function asksForDocument(argv: readonly string[]): boolean {
  const end = argv.indexOf('--');
  return argv.slice(0, end === -1 ? undefined : end).includes('--json') && !argv.includes('__complete');
}
