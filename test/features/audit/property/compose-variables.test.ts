/** Interpolation and .env files: any text is read, and known variables are replaced as Compose does. */

import fc from 'fast-check';
import { expect, test } from 'vitest';
import { interpolate, parseEnvFile } from '../../../../src/features/audit/domain/files/compose-variables.ts';

const NAME = fc.stringMatching(/^[A-Z][A-Z0-9_]{0,8}$/);
const TEXT = fc.string({ maxLength: 20 }).map((text) => text.replace(/[${}]/g, ''));

test('any text ends, and a text without dollars stays', () => {
  fc.assert(
    fc.property(fc.string({ unit: fc.constantFrom('$', '{', '}', ':', '-', '+', '?', 'A', 'b', ' ') }), (text) => {
      const { text: result, unknown } = interpolate(text, new Map([['A', 'x']]));
      if (!text.includes('$')) expect([result, unknown]).toEqual([text, false]);
    }),
  );
  expect(interpolate('${A:-'.repeat(5000), new Map()).unknown).toBe(true);
});

test('each form, with and without a value', () => {
  fc.assert(
    fc.property(NAME, TEXT, TEXT, (name, value, other) => {
      const [known, none] = [new Map([[name, value]]), new Map<string, string>()];
      const form = (operator: string, variables: Map<string, string>) =>
        interpolate(`<\${${name}${operator}}>`, variables).text;
      expect(form('', known)).toBe(`<${value}>`);
      expect(interpolate(`$${name}-`, known).text).toBe(`${value}-`);
      expect(form(`:-${other}`, known)).toBe(`<${value === '' ? other : value}>`);
      expect(form(`-${other}`, known)).toBe(`<${value}>`);
      expect(form(`:-${other}`, none)).toBe(`<${other}>`);
      expect(form(`:+${other}`, known)).toBe(`<${value === '' ? '' : other}>`);
      expect(form(`+${other}`, known)).toBe(`<${other}>`);
      expect(interpolate(`$$${name}`, known).text).toBe(`$${name}`);
    }),
  );
});

test('a quoted value of an .env file is what it was', () => {
  fc.assert(
    fc.property(NAME, fc.string({ maxLength: 30 }), (name, value) => {
      const quoted = value.replace(/[\\"$\r\n]/g, '');
      expect(parseEnvFile(`${name}="${quoted}" # c\nZ=1\n`, new Map(), 10)).toEqual([
        { name, value: quoted, line: 1 },
        { name: 'Z', value: '1', line: 2 },
      ]);
    }),
  );
});
