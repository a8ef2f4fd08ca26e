/** What a host with HAProxy prints about it. */

import { printSections } from '../../../support/sections.ts';

export function listenerFacts(more: Readonly<Record<string, string>> = {}): Buffer {
  const texts = {
    program: '/usr/sbin/haproxy',
    version: 'HAProxy version 3.0.11',
    account: 'haproxy:x:100:103::/:/bin/false',
    socket: '660 0 104 docker',
    service: 'ActiveState=active',
    ...more,
    done: '',
  };
  return printSections(
    'listener',
    Object.entries(texts).map(([name, text]) => ({ name, content: Buffer.from(text) })),
  );
}
