/** From how a connection is configured to how the IKE machines prove and judge who is who. */
import type { WallTime } from '../../certificates/certificate-failures.ts';
import { certificateIdentity, signingCredential, trustIn } from '../../certificates/ike-certificates.ts';
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { IkeAuthentication } from '../../protocol/ike/authentication.ts';
import type { IkeIdentity } from '../../protocol/ike/ike-types.ts';
import type { IpsecConnectionSettings } from './ipsec-types.ts';

export interface IkeProofs {
  readonly authentication: IkeAuthentication;
  /** What this side calls itself; absent: its address. */
  readonly localId?: IkeIdentity;
}

/**
 * @param wall what time it is whenever the peer's certificate is judged.
 * @throws MaterialError, RangeError for certificates that the rules of the configuration refuse.
 */
export function ikeProofs(
  { authentication, localId }: Pick<IpsecConnectionSettings, 'authentication' | 'localId'>,
  wall: () => WallTime,
): IkeProofs {
  if (authentication.kind === 'psk') {
    const key = utf8Bytes(authentication.psk);
    return { authentication: { kind: 'psk', key }, ...(localId === undefined ? {} : { localId }) };
  }
  const { own, authorities } = authentication;
  return {
    authentication: { kind: 'certificate', credential: signingCredential(own), trust: trustIn(authorities, wall) },
    localId: certificateIdentity(own, localId),
  };
}
