/** From how a connection is configured to how the IKE machines prove and judge who is who. */
import type { WallTime } from '../../certificates/certificate-failures.ts';
import { certificateIdentity, signingCredential, trustIn } from '../../certificates/ike-certificates.ts';
import { utf8Bytes } from '../../protocol/bytes.ts';
import type { IkeAuthentication, PasswordOf } from '../../protocol/ike/authentication.ts';
import type { IkeIdentity } from '../../protocol/ike/ike-types.ts';
import type { IpsecConnectionSettings } from './ipsec-types.ts';

export interface IkeProofs {
  readonly authentication: IkeAuthentication;
  /** What this side calls itself; absent: its address. */
  readonly localId?: IkeIdentity;
}

/**
 * @param wall what time it is whenever a certificate is judged, the peer's or the own one.
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
  if (authentication.kind === 'eap-client') {
    const { user, password, authorities } = authentication;
    const trust = trustIn(authorities, wall);
    return { authentication: { kind: 'eap-client', user, password, trust }, localId: localId ?? userIdentity(user) };
  }
  const { own } = authentication;
  const credential = signingCredential(own, wall);
  const proof = { localId: certificateIdentity(own, localId) };
  if (authentication.kind === 'certificate') {
    const trust = trustIn(authentication.authorities, wall);
    return { ...proof, authentication: { kind: 'certificate', credential, trust } };
  }
  return {
    ...proof,
    authentication: { kind: 'eap-server', credential, passwordOf: directoryOf(authentication.users) },
  };
}

/** Not by the object itself, which has members that nobody has put there. */
export function directoryOf(users: Readonly<Record<string, string>>): PasswordOf {
  const passwords = new Map(Object.entries(users));
  return (user) => passwords.get(user);
}

/** What a user calls itself before EAP: its name, as what that looks like. */
function userIdentity(user: string): IkeIdentity {
  if (/^[^@\s]+@[^@\s]+$/.test(user)) return { kind: 'email', value: user };
  return /^[A-Za-z0-9.-]+$/.test(user) ? { kind: 'fqdn', value: user } : { kind: 'key-id', value: utf8Bytes(user) };
}
