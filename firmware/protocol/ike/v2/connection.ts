/** Connections as configured: looked over once, so that nothing that a peer sends can stumble over them later. */
import { EncodeError } from '../../bytes.ts';
import { isIpAddress } from '../../ip-address.ts';
import type { IkeConnection } from '../ike-types.ts';
import { espProposalFits, ikeProposalFits } from '../proposals.ts';
import { encodeIdentity } from './identity.ts';
import { MAX_SELECTORS } from './traffic-selector.ts';

/** Those that were found in order: many are given again and again, with one more or less. They are never changed. */
const inOrder = new WeakSet<IkeConnection>();

/** Those of version 2. @throws RangeError when one of them holds what cannot be negotiated or sent. */
export function usableConnections(connections: readonly IkeConnection[]): readonly IkeConnection[] {
  const usable = connections.filter(({ version }) => version === 2);
  for (const connection of usable) {
    if (inOrder.has(connection)) continue;
    const problem = problemOf(connection);
    if (problem !== undefined) throw new RangeError(`connection ${connection.name}: ${problem}`);
    inOrder.add(connection);
  }
  return usable;
}

function problemOf(connection: IkeConnection): string | undefined {
  const { ikeProposals, espProposals, localSelectors = [], remoteSelectors = [] } = connection;
  if (ikeProposals.length === 0 || !ikeProposals.every((one) => ikeProposalFits(2, one))) {
    return 'its IKE proposals are none, or not for IKEv2';
  }
  if (espProposals.length === 0 || !espProposals.every((one) => espProposalFits(2, one))) {
    return 'its ESP proposals are none, or not for IKEv2';
  }
  if (localSelectors.length > MAX_SELECTORS || remoteSelectors.length > MAX_SELECTORS) {
    return `it has more than ${MAX_SELECTORS} traffic selectors on one side`;
  }
  for (const { firstAddress, lastAddress } of [...localSelectors, ...remoteSelectors]) {
    const families = [firstAddress, lastAddress].map((address) => address.includes(':'));
    if (![firstAddress, lastAddress].every(isIpAddress) || families[0] !== families[1]) {
      return 'a traffic selector is no range of addresses';
    }
  }
  try {
    for (const id of [connection.localId, connection.remoteId]) if (id !== undefined) encodeIdentity(id);
  } catch (error) {
    if (!(error instanceof EncodeError)) throw error;
    return 'an identity cannot be sent';
  }
  return undefined;
}
