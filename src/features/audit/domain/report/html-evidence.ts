/** Evidence on the page: who made the report, with what, on which hosts, and how to check its signature. */

import { NAMESPACE } from '../signatures.ts';
import { type Html, html } from './html-text.ts';
import type { AuditReport } from './report.ts';

function row(title: string, lines: readonly (string | undefined)[]): Html {
  const known = lines.filter((line): line is string => line !== undefined && line !== '');
  const words =
    known.length === 0 ? [html`<span class="soft">unknown</span>`] : known.map((line) => html`<div>${line}</div>`);
  return html`<tr><th scope="row">${title}</th><td class="mono">${words}</td></tr>`;
}

function table(rows: readonly Html[]): Html {
  return html`<div class="card evidence"><table><tbody>${rows}</tbody></table></div>`;
}

export function renderEvidence({ evidence, createdAt, version, subjects }: AuditReport): Html {
  if (evidence === undefined) return html``;
  const hosts = subjects.flatMap((subject) =>
    subject.kind === 'host' && subject.evidence !== undefined ? [{ name: subject.name, ...subject.evidence }] : [],
  );
  const signed =
    evidence.signer === undefined
      ? html`<p class="soft small">This report is not signed (docker-tls audit --out FILE --sign KEY).</p>`
      : html`<p class="soft small">The key below signs this file; its signature is in FILE.sig. To check it, against the keys that you allow:</p>
<pre class="command">docker-tls audit --check-signature FILE --signers ALLOWED_SIGNERS
ssh-keygen -Y verify -f ALLOWED_SIGNERS -I SIGNER -n ${NAMESPACE} -s FILE.sig &lt; FILE</pre>`;
  return html`<h2 id="evidence">Evidence</h2>${signed}
${table([
  row('Operator', [evidence.operator]),
  row('Signing key', [evidence.signer]),
  row('Time of the report', [createdAt]),
  row('Program', [`docker-tls ${version}`, `SHA-256 ${evidence.program}`]),
])}
${hosts.map(
  (host) =>
    html`<h3>${host.name}</h3>${table([
      row('Machine ID, hashed', [host.machineId]),
      row('SSH host key of the connection', [host.connectedKey]),
      row("Keys of the host's sshd", host.hostKeys),
      row('Certificates, SHA-256', host.certificates),
      row('Time of the host', [host.hostTime]),
      row('Time of the auditor', [host.auditorTime]),
      row('Facts, SHA-256', [host.facts]),
    ])}`,
)}`;
}
