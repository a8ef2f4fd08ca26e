/** Clients of this store in a report: on the timeline, and in the table of access. */

import type { StoredClient, StoredHost } from '../../../../core/adapters/store/records.ts';
import { accepts } from '../../../../core/domain/trust/reachable-hosts.ts';
import { FULL_ROLE } from '../../../../core/domain/trust/view.ts';
import { printable } from '../../../../errors/errors.ts';
import { readCertificates } from '../certificates.ts';
import type { AuditedHost, ReportedCertificate } from './report.ts';
import { dayOf, type ReportedAccess } from './root-access.ts';

export function withOurClients(subject: AuditedHost, host: StoredHost, clients: readonly StoredClient[]): AuditedHost {
  const certificates: ReportedCertificate[] = [];
  const access: ReportedAccess[] = [];
  const { address, port, accepts: list } = host.record;
  for (const client of clients) {
    const { record, cert } = client;
    // The list of a host is what it goes by: a revocation or a role that was not applied is not there.
    const [, ...role] = list?.find((line) => line.startsWith(`${record.name} `))?.split(' ') ?? [];
    if (list === undefined ? !accepts(host, client) : record.reaches !== undefined || role.length === 0) continue;
    const name = printable(record.name, 200);
    const [leaf] = readCertificates(cert);
    const at = leaf && { notBefore: leaf.notBefore.toISOString(), notAfter: leaf.notAfter.toISOString() };
    if (at !== undefined) certificates.push({ role: 'client', name, ...at });
    const limits = { role: role.find((one) => one !== FULL_ROLE), expires: dayOf(leaf?.notAfter) };
    access.push({ who: `client ${name}`, how: 'certificate', where: `${address}:${port}`, grave: false, ...limits });
  }
  return {
    ...subject,
    certificates: [...subject.certificates, ...certificates],
    access: [...subject.access, ...access],
  };
}
