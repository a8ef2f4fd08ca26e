/** Stages of `rotate ca`: accept old and new, issue from the new, drop the old. A run can start with any stage. */

import type { StoreState } from '../../../core/adapters/store/records.ts';
import { type HostFlags, recordedSpecs } from '../../../core/domain/hosts/specs.ts';
import { inspectCertificate, isFrom } from '../../../core/domain/pki/inspect.ts';
import type { CaSpec } from '../../../core/domain/settings.ts';
import { type Access, accessOf, withTrust } from '../../../core/domain/trust/access.ts';
import { caBreaksClients } from '../../../core/domain/trust/ca-refusals.ts';
import { type CredentialChange, type Intent, preview, type Wanted } from '../../../core/domain/trust/changes.ts';
import { activeClients, renewed } from '../../../core/domain/trust/clients.ts';
import { breaksClients } from '../../../core/domain/trust/server.ts';
import { type AccessView, viewOf } from '../../../core/domain/trust/view.ts';
import { plural } from '../../../core/domain/words.ts';
import { DockerTlsError } from '../../../errors/errors.ts';
import { nextSteps, stageOf } from './progress.ts';
import type { RotationStage } from './stage.ts';

export type CaRotation = {
  readonly ca: CaSpec;
  readonly flags: HostFlags;
  /** The passphrase of the old keys is lost. */
  readonly lostPassphrase: boolean;
  readonly noOverlap: boolean;
  /** Clients unknown to this store may lose access to a host. */
  readonly rejectOtherClients: boolean;
};

export type RotationIntent = Omit<Intent, 'reason'>;
/** The clients after the stage, and what was decided about hosts. */
type ViewOfStage = { readonly view: AccessView; readonly trust?: Access['trust'] };
type HostRequest = Pick<CaRotation, 'flags' | 'rejectOtherClients'>;

function wanted(
  { flags, rejectOtherClients: rejectOthers }: HostRequest,
  hosts: readonly string[],
  state: StoreState,
  { view, trust, target, ...more }: Partial<Omit<Wanted, 'target'>> & ViewOfStage & { readonly target?: object },
): Wanted {
  const desired = { kind: 'desired', rejectOthers, addHardening: true, ...target } as const;
  const specs = recordedSpecs(hosts, state, flags);
  return {
    hosts: withTrust(specs, state, view, trust),
    ...{ credentials: [], target: desired, copies: true },
    ...more,
  };
}

/** Creates a CA, and an issuing CA under it for every client; every host then accepts old and new. Fails with E_NO_CA (exit 2). */
export function beginning(rotation: CaRotation): RotationIntent {
  return {
    want(state, now) {
      const credentials = beginChanges(rotation, state);
      const view = preview(viewOf(state, now), credentials);
      const rejectOthers = rotation.rejectOtherClients;
      const { trust, outdated, withoutClients, notes } = accessOf(state, view, { rejectOthers, now });
      const olds = [state.ca, ...state.oldCas].flatMap((ca) => (ca === undefined ? [] : [ca.cert]));
      // If every older CA has expired, there is nothing to accept: trust files and certificates change together, in stage 2.
      const hosts = olds.every((cert) => inspectCertificate(cert).notAfter < now) ? [] : outdated;
      return wanted(rotation, hosts, state, { view, trust, credentials, notes, leftOut: withoutClients });
    },
    question({ hosts }) {
      const lost = rotation.lostPassphrase
        ? " The keys that can no longer be opened (of the CA and of clients' issuing CAs) are deleted."
        : '';
      return `Make a new CA, and let ${plural(hosts.length, 'host')} accept old and new?${lost}`;
    },
  };
}

function beginChanges({ ca, lostPassphrase }: CaRotation, state: StoreState): CredentialChange[] {
  if (state.ca === undefined) {
    throw new DockerTlsError('E_NO_CA', 'there is no CA to rotate yet', { hints: ['docker-tls setup root@HOST'] });
  }
  // Includes other operators' clients: hosts with client lists must know the issuing CA before the operator requests a certificate.
  const clients = activeClients(state).filter(({ key, record }) => key !== undefined || state.issuers.has(record.name));
  return [
    { kind: 'replace-ca', ca, lost: lostPassphrase },
    ...clients.map(({ record: { name, keyType } }) => ({ kind: 'issuing-ca' as const, client: name, keyType })),
  ];
}

/** The rest of stage 1: hosts that do not accept both yet. */
export function accepting(rotation: CaRotation): RotationIntent {
  return {
    want: (state, now) => wanted(rotation, stageOf(state, now).hosts, state, { view: viewOf(state, now) }),
    question: () => 'Stage 1: let these hosts accept old and new?',
  };
}

/** Stage 2: new certificates for clients with a local key, and for hosts. `begins`: stage 1 is only planned. */
export function issuing(rotation: CaRotation, begins: boolean): RotationIntent {
  return {
    want(state, now) {
      const first = begins ? beginChanges(rotation, state) : [];
      const stage = stageOf(state, now);
      const clients = activeClients(state).filter(
        ({ key, record }) => key !== undefined && (begins || stage.clients.includes(record.name)),
      );
      const certOf = (name: string) => state.hosts.get(name)?.serverCert ?? '';
      const isNew = (name: string) => !begins && isFrom(certOf(name), state.ca?.cert ?? '', 'server', now);
      const servers = [...state.hosts.keys()].filter((name) => !isNew(name));
      // The current CA will be an old one by then.
      const olds = begins && state.ca !== undefined ? [{ ...state.ca, serial: '' }, ...state.oldCas] : state.oldCas;
      const breaking = servers.filter((name) => breaksClients(certOf(name), olds, now));
      const waits = breaking.length > 0 && !rotation.noOverlap;
      const unfetched = stage.clients.filter((name) => state.clients.get(name)?.key === undefined);
      const renewals = clients.map(({ record }) => renewed(state, record.name, undefined, now));
      const credentials = [...first, ...renewals];
      return wanted(rotation, waits ? [] : servers, state, {
        view: preview(viewOf(state, now), credentials),
        credentials,
        target: { force: 'from the new CA', noOverlap: rotation.noOverlap },
        leftOut: waits ? [caBreaksClients(breaking, unfetched)] : [],
      });
    },
    question: ({ hosts }) => (hosts.length === 0 ? undefined : 'Stage 2: give these hosts certificates of the new CA?'),
  };
}

/** Stage 3. Clients of the old CA that this store does not know lose access too. Fails as `droppable` does. */
export function dropping(flags: HostFlags): RotationIntent {
  return {
    want(state, now) {
      const { hosts, stage } = droppable(state, now);
      const credentials: CredentialChange[] = stage === 'drop' ? [{ kind: 'drop-old-cas' }] : [];
      const view = preview(viewOf(state, now), credentials);
      return wanted({ flags, rejectOtherClients: true }, hosts, state, { view, credentials });
    },
    question: () => 'Stop accepting the old CA? Clients that have not fetched their new files are locked out.',
  };
}

/** The stage, if the old CA can be dropped. Fails with E_CA_IN_USE (exit 3) while a host or client still depends on it. */
export function droppable(state: StoreState, now: Date): RotationStage {
  const stage = stageOf(state, now);
  if (stage.stage === 'drop' || stage.stage === 'clear' || stage.stage === 'none') return stage;
  const { hosts, clients } = stage;
  const here = clients.some((name) => state.clients.get(name)?.key !== undefined);
  const needing = [...hosts.map((host) => `host ${host}`), ...clients.map((client) => `client ${client}`)];
  throw new DockerTlsError('E_CA_IN_USE', `the old CA is still needed by ${needing.join(', ')}`, {
    hints: [...(hosts.length > 0 || here ? ['docker-tls rotate ca'] : []), ...nextSteps(clients, state.clients)],
  });
}
