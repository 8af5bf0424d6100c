/** Judging a peer's proof with the passwords that are known on this side. */
import { utf8Bytes } from '../bytes.ts';
import type { RandomSource } from '../machine.ts';
import { findUser, secretsEqual, type UserDirectory } from './authentication.ts';
import { chapAlgorithm } from './chap-algorithms.ts';
import type { PeerProof, Verdict } from './link-types.ts';

/**
 * The verdict on a proof by PAP or CHAP. An unknown user costs what a known one costs.
 * @throws TypeError for EAP, which is a conversation and not one proof.
 */
export function judgeLocally(directory: UserDirectory, proof: PeerProof, random: RandomSource): Verdict {
  if (proof.method === 'eap') throw new TypeError('EAP is not judged by one packet');
  const { user, password, exists } = findUser(directory, proof.name, random);
  if (proof.method === 'pap') {
    const matches = secretsEqual(utf8Bytes(password), proof.password);
    return matches && exists ? { kind: 'accept', user } : { kind: 'reject' };
  }
  const { identifier, challenge, name, response } = proof;
  const algorithm = chapAlgorithm(proof.method);
  const { ok, successMessage } = algorithm.verify({ identifier, challenge, name, password }, response);
  return ok && exists ? { kind: 'accept', user, message: successMessage } : { kind: 'reject' };
}
