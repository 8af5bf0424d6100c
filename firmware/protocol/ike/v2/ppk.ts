/** Post-quantum preshared keys (RFC 8784), beside AUTH by key or by certificate; not with EAP. */
import { concatBytes, utf8Bytes } from '../../bytes.ts';
import type { IkeSaKeys } from '../crypto/keys-v2.ts';
import { prfPlus } from '../crypto/prf.ts';
import { equalSecrets } from '../crypto/secrets.ts';
import type { IkeConnection, PostQuantumKey } from '../ike-types.ts';
import type { IkeSa } from './ike-sa.ts';
import { findNotify, notify } from './notify.ts';
import type { Payload } from './payload.ts';

/** PPK_ID Type (section 5.1): an identity that both sides have in their configuration. */
const PPK_ID_FIXED = 2;

/** For IKE_SA_INIT: of the caller, and of the one that is called where both have one. */
export function usePpk(wanted: boolean): readonly Payload[] {
  return wanted ? [notify('USE_PPK')] : [];
}

export function hasUsePpk(payloads: readonly Payload[]): boolean {
  return findNotify(payloads, 'USE_PPK') !== undefined;
}

/** The keys that the PPK makes of those of the key exchange (section 3); what encrypts IKE stays. */
export function keysWithPpk(sa: IkeSa, { key }: PostQuantumKey): IkeSaKeys {
  const { keys, proposal } = sa;
  if (keys === undefined || proposal === undefined) throw new Error('a PPK before there are keys');
  const mixed = (secret: Uint8Array): Uint8Array => prfPlus(proposal.prf, key, secret, secret.length);
  return { ...keys, skD: mixed(keys.skD), skPi: mixed(keys.skPi), skPr: mixed(keys.skPr) };
}

/** As initiator: which key it is, and a proof without it where that is enough. */
export function ppkPayloads({ id, mandatory }: PostQuantumKey, proofWithout: Uint8Array): readonly Payload[] {
  const identity = notify('PPK_IDENTITY', concatBytes(Uint8Array.of(PPK_ID_FIXED), utf8Bytes(id)));
  return mandatory ? [identity] : [identity, notify('NO_PPK_AUTH', proofWithout)];
}

/** As responder: those of the connections that have the very key that the caller names. */
export function ppkHolders(
  candidates: readonly IkeConnection[],
  payloads: readonly Payload[],
): readonly IkeConnection[] {
  const named = findNotify(payloads, 'PPK_IDENTITY')?.data;
  if (named === undefined) return [];
  const holders = candidates.filter(
    ({ ppk }) => ppk !== undefined && equalSecrets(concatBytes(Uint8Array.of(PPK_ID_FIXED), utf8Bytes(ppk.id)), named),
  );
  const [first] = holders;
  const key = first?.ppk?.key;
  // One name and two keys is a mistake of the configuration: the first one counts.
  return key === undefined ? [] : holders.filter(({ ppk }) => ppk !== undefined && equalSecrets(ppk.key, key));
}
