/** A host's answer to plain HTTP on its TLS port. */

import { connect } from 'node:net';

/** Empty: refused, or silent for two seconds. */
export function plainHttp(host: string, port = 2376): Promise<string> {
  return new Promise((resolve) => {
    const socket = connect({ host, port });
    let text = '';
    const end = () => {
      socket.destroy();
      resolve(text);
    };
    socket.setTimeout(2000, end);
    socket.on('data', (data) => {
      text += data;
    });
    socket.on('error', end);
    socket.on('close', end);
    socket.write('GET /version HTTP/1.0\r\nHost: d\r\n\r\n');
  });
}
