// JSON Schemas of the commands' --json documents, from the types: the result of the command `client add` is the type ClientAddDocument,
// exported by a file in commands/. A command without such a type refuses --json, and its schema has the failure alone.
import { fileURLToPath } from 'node:url';
import { createGenerator } from 'ts-json-schema-generator';

const root = fileURLToPath(new URL('..', import.meta.url));

/** The schemas by file name, of the commands and of `help`. */
export function commandSchemas(commands) {
  const path = `${root}src/{cli/{errors,main}.ts,core/commands/*.ts,features/*/commands/*.ts}`;
  const options = { path, tsconfig: `${root}tsconfig.json`, skipTypeCheck: true, expose: 'all', topRef: true };
  const generator = createGenerator({ ...options, additionalProperties: false, jsDoc: 'extended' });
  // Asked for a type by its name, the generator goes through every file again.
  const nodes = new Map();
  generator.appendTypes(generator.partitionFiles().projectFiles, generator.program.getTypeChecker(), nodes);
  const definitionsOf = (type) =>
    nodes.has(type) ? generator.createSchemaFromNodes([nodes.get(type)]).definitions : undefined;
  const error = definitionsOf('ErrorDocument');
  if (error === undefined) throw new Error('src/cli has no type ErrorDocument');
  if (!nodes.has('HelpDocument')) throw new Error('src/cli has no type HelpDocument');
  const document = (command, name, type) => {
    const result = definitionsOf(type) ?? {};
    const has = result[type] !== undefined;
    const definitions = sorted({ ...error, ...result });
    const internal = Object.keys(definitions).filter((one) => !one.endsWith('Document'));
    if (internal.length > 0)
      throw new Error(`${type} has the types ${internal.join(', ')}: name each of a document …Document`);
    return {
      $schema: 'http://json-schema.org/draft-07/schema#',
      title: `docker-tls ${name} --json`,
      type: 'object',
      properties: {
        schema: { const: 1, description: 'The version of the documents.' },
        command,
        ok: { type: 'boolean', description: 'True if the exit status is 0.' },
        ...(has ? { result: { $ref: `#/definitions/${type}` } } : {}),
        error: { $ref: '#/definitions/ErrorDocument' },
      },
      required: ['schema', 'command', 'ok'],
      // What a command did or found is absent only if it failed.
      ...(has ? { anyOf: [{ required: ['result'] }, { properties: { ok: { const: false } } }] } : {}),
      additionalProperties: false,
      definitions,
    };
  };
  const schemas = commands.map((name) => [
    `${fileName(name)}.json`,
    document({ const: name }, name, `${pascal(name)}Document`),
  ]);
  // Of calls that name no command, `command` is what was typed.
  return new Map([...schemas, ['help.json', document({ type: 'string' }, 'help', 'HelpDocument')]]);
}

export function fileName(command) {
  return command.replaceAll(' ', '-');
}

function pascal(command) {
  return command.replace(/(?:^|[ -])(\w)/g, (_, letter) => letter.toUpperCase());
}

function sorted(definitions) {
  return Object.fromEntries(Object.entries(definitions).sort(([a], [b]) => (a < b ? -1 : 1)));
}
