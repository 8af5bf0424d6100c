/** By which Authentication Method (RFC 2409 appendix A) the two sides of a connection prove themselves. */
import { signsPhase1 } from '../crypto/signature-v1.ts';
import type { IkeConnection } from '../ike-types.ts';
import { AuthenticationMethod } from './numbers.ts';

const METHOD_WORDS: ReadonlyMap<number, string> = new Map([
  [AuthenticationMethod.preSharedKey, 'pre-shared key'],
  [2, 'DSS signature'],
  [AuthenticationMethod.rsaSignature, 'RSA signature'],
  [4, 'RSA encryption'],
  [5, 'revised RSA encryption'],
  [AuthenticationMethod.xauthPreSharedKey, 'pre-shared key and login (XAUTH)'],
  [AuthenticationMethod.xauthRsaSignature, 'RSA signature and login (XAUTH)'],
  [9, 'ECDSA signature (256 bits)'],
  [10, 'ECDSA signature (384 bits)'],
  [11, 'ECDSA signature (521 bits)'],
]);

/** `pre-shared key`, `RSA signature` ... */
export function methodWords(method: number): string {
  return METHOD_WORDS.get(method) ?? `method ${method}`;
}

/** By what a side proves itself. */
export function proofKind({ authentication }: IkeConnection): 'psk' | 'certificate' {
  return authentication.kind === 'psk' ? 'psk' : 'certificate';
}

/** Whether a user logs in besides, at either end. */
export function hasLogin({ xauth, xauthUsers }: IkeConnection): boolean {
  return xauth !== undefined || xauthUsers !== undefined;
}

/** The one that a connection is for. @throws RangeError when IKEv1 has none for it. */
export function methodOf(connection: IkeConnection): number {
  const { name, authentication } = connection;
  const login = hasLogin(connection);
  if (authentication.kind === 'psk') {
    return login ? AuthenticationMethod.xauthPreSharedKey : AuthenticationMethod.preSharedKey;
  }
  if (authentication.kind !== 'certificate') throw new RangeError(`connection ${name}: EAP is of IKEv2`);
  if (signsPhase1(authentication.credential.privateKey)) {
    return login ? AuthenticationMethod.xauthRsaSignature : AuthenticationMethod.rsaSignature;
  }
  throw new RangeError(`connection ${name}: IKEv1 takes certificates with RSA keys only`);
}
