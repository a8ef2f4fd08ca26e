/** A strict parser of our own markup: it accepts only well-formed XML, and returns elements, attributes and text separately. */

export type Markup = {
  readonly elements: readonly string[];
  readonly attributes: readonly (readonly [string, string])[];
  readonly text: string;
};

const VOID = new Set(['meta', 'input', 'br']);

/** Throws at the first violation. `html` allows the void elements and the doctype of HTML. */
export function readMarkup(source: string, html: boolean): Markup {
  const elements: string[] = [];
  const attributes: [string, string][] = [];
  const open: string[] = [];
  let text = '';
  let rest = source.replace(/^<\?xml [^?]*\?>\n|^<!doctype html>\n/, '');
  while (rest !== '') {
    const words = /^[^<]+/.exec(rest)?.[0];
    if (words !== undefined) {
      if (/&(?!(amp|lt|gt|quot|apos|#39|#96);)/.test(words) && open.at(-1) !== 'style')
        throw new Error(`a bare & in ${words.slice(0, 80)}`);
      text += words;
      rest = rest.slice(words.length);
      continue;
    }
    const tag = /^<(\/?)([a-zA-Z][\w-]*)((?:\s+[a-zA-Z][\w:-]*(?:="[^"<]*")?)*)\s*(\/?)>/.exec(rest);
    if (tag === null) throw new Error(`no tag: ${rest.slice(0, 80)}`);
    const [whole, closing, name = '', list = '', empty] = tag;
    if (closing === '/') {
      if (open.pop() !== name) throw new Error(`</${name}> closes another element`);
    } else {
      elements.push(name);
      for (const [, key = '', value = ''] of list.matchAll(/([\w:-]+)(?:="([^"]*)")?/g)) attributes.push([key, value]);
      if (empty !== '/' && !(html && VOID.has(name))) open.push(name);
    }
    rest = rest.slice(whole.length);
  }
  if (open.length > 0) throw new Error(`<${open.at(-1)}> is not closed`);
  return { elements, attributes, text };
}
