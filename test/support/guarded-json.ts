/** Texts of daemon.json, and whether dockerd would serve the TLS port with TLS: what the guards at its start have to tell apart. */

export const TRUST = '/etc/docker/tls/current/ca.pem';
export const TLS_SETTINGS = { tlsverify: true, tlscacert: TRUST, tlscert: '/x', tlskey: '/y' };

export const GUARDED: readonly (readonly [title: string, json: string | undefined, passes: boolean])[] = [
  ['on one line', JSON.stringify(TLS_SETTINGS), true],
  ['on many', JSON.stringify({ hosts: ['fd://'], ...TLS_SETTINGS }, undefined, 2), true],
  ['in another order', JSON.stringify({ tlscacert: TRUST, a: 1, tlsverify: true }, undefined, '\t'), true],
  ['gone', undefined, false],
  ['without a setting', '{}', false],
  ['with another CA', JSON.stringify({ ...TLS_SETTINGS, tlscacert: `${TRUST}.old` }), false],
  ['not verified', JSON.stringify({ ...TLS_SETTINGS, tlsverify: false }), false],
  ['in a text', JSON.stringify({ labels: [`x=${JSON.stringify(TLS_SETTINGS)}`] }), false],
];
