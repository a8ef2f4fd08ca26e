/** Clients of this store in a report: on the timeline, and in the table of access. */

import type { StoredClient, StoredHost } from '../../../../core/adapters/store/records.ts';
import { printable } from '../../../../errors/errors.ts';
import { readCertificates } from '../certificates.ts';
import type { AuditedHost, ReportedCertificate } from './report.ts';
import { dayOf, type ReportedAccess } from './root-access.ts';

export function withOurClients(
  subject: AuditedHost,
  { record: { name: host, address, port } }: StoredHost,
  clients: readonly StoredClient[],
): AuditedHost {
  const certificates: ReportedCertificate[] = [];
  const access: ReportedAccess[] = [];
  for (const { record, cert } of clients) {
    if (record.revokedAt !== undefined || record.hosts?.includes(host) === false) continue;
    const name = printable(record.name, 200);
    const [leaf] = readCertificates(cert);
    const at = leaf && { notBefore: leaf.notBefore.toISOString(), notAfter: leaf.notAfter.toISOString() };
    if (at !== undefined) certificates.push({ role: 'client', name, ...at });
    const limits = { role: record.role, expires: dayOf(leaf?.notAfter) };
    access.push({ who: `client ${name}`, how: 'certificate', where: `${address}:${port}`, grave: false, ...limits });
  }
  return {
    ...subject,
    certificates: [...subject.certificates, ...certificates],
    access: [...subject.access, ...access],
  };
}
