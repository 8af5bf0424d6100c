/** Why a caller got no inner address, for a person at the one that is called; IKEv1 and IKEv2. */
import type { Failure } from '../machine.ts';

/** What a caller asks by. */
type Step = 'configuration' | 'Mode-Config';

/** The pool is used up. */
export function poolExhausted(step: Step): Failure {
  return {
    step,
    reason: 'no inner address is left in the pool for another caller',
    remedy: 'make the pool larger',
    cause: 'refused',
  };
}

/** The caller has to ask for an address, and does not. */
export function addressNotRequested(step: Step): Failure {
  const by = step === 'configuration' ? 'configuration payload' : step;
  return {
    step,
    reason: 'the caller asks for no inner address, and this connection gives one to each caller',
    remedy: `set the caller to a virtual address (${by})`,
    cause: 'refused',
  };
}

/** The caller asks for an address, and there is nothing to give: IKEv1 alone takes notice, IKEv2 goes on without. */
export function noPool(): Failure {
  return {
    step: 'Mode-Config',
    reason: 'the caller asks for an inner address, and this connection has no pool of them',
    remedy: 'set a pool of this connection here, or switch off the virtual address at the caller',
    cause: 'refused',
  };
}
