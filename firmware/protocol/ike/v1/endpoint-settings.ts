/** The options of an endpoint, checked. */
import { EncodeError } from '../../bytes.ts';
import type { IkeConnection } from '../ike-types.ts';
import { espProposalFits, ikeProposalFits } from '../proposals.ts';
import type { OwnVendorId } from '../vendor-ids.ts';
import { methodOf } from './authentication-method.ts';
import { DEFAULT_LIMITS, type IkeV1Limits, type IkeV1Options } from './endpoint-types.ts';
import { idOfIdentity, idOfSelector } from './id-payload.ts';
import { MAX_OFFERED_TRANSFORMS } from './phase2-transforms.ts';

export interface IkeV1Settings extends OwnVendorId {
  /** Of version 1, with those proposals that IKEv1 has numbers for. */
  readonly connections: readonly IkeConnection[];
  readonly limits: IkeV1Limits;
}

/** What became of each: many are given again and again, with one more or less. They are never changed. */
const known = new WeakMap<IkeConnection, IkeConnection>();

/** @throws RangeError when a connection holds what IKEv1 cannot say. */
export function endpointSettings(options: IkeV1Options): IkeV1Settings {
  const connections = options.connections.filter(({ version }) => version === 1).map(usable);
  const { vendorId = true, encapsulateAmongOurselves = true } = options;
  return { connections, limits: { ...DEFAULT_LIMITS, ...options.limits }, vendorId, encapsulateAmongOurselves };
}

function usable(connection: IkeConnection): IkeConnection {
  const found = known.get(connection) ?? checked(connection);
  known.set(connection, found);
  return found;
}

function checked(connection: IkeConnection): IkeConnection {
  const { name } = connection;
  methodOf(connection);
  const fitting = connection.ikeProposals.filter((proposal) => ikeProposalFits(1, proposal));
  const ikeProposals = fitting.slice(0, MAX_OFFERED_TRANSFORMS);
  const espProposals = connection.espProposals.filter((proposal) => espProposalFits(1, proposal));
  if (ikeProposals.length === 0) throw new RangeError(`connection ${name}: no IKE proposal is one of IKEv1`);
  if (espProposals.length === 0) throw new RangeError(`connection ${name}: no ESP proposal is one of IKEv1`);
  try {
    for (const identity of [connection.localId, connection.remoteId]) {
      if (identity !== undefined) idOfIdentity(identity);
    }
    const selectors = [...(connection.localSelectors ?? []), ...(connection.remoteSelectors ?? [])];
    for (const selector of selectors) idOfSelector(selector);
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    throw new RangeError(`connection ${name}: ${error.message}`);
  }
  return { ...connection, ikeProposals, espProposals };
}
