/** Why a syslog server could not be reached by TCP or TLS, in words. */
import type { Failure } from '../protocol/machine.ts';
import { printable } from '../protocol/printable.ts';

type Words = readonly [reason: string, remedy: string, cause?: Failure['cause']];

const ANSWERS = 'check that the server runs, and that its address and port are right and not filtered on the way';
const AUTHORITY = 'set "ca" to the certificate of the authority that has issued the one of the server';

/** By the code of the error: of the kernel, of OpenSSL's verification (X509_V_ERR_...), of Node. */
const CODES: Readonly<Record<string, Words>> = {
  ECONNREFUSED: ['nothing listens there', ANSWERS, 'silence'],
  ETIMEDOUT: ['it did not answer', ANSWERS, 'silence'],
  EHOSTUNREACH: ['there is no such host in the network', ANSWERS, 'silence'],
  ENETUNREACH: [
    'there is no route to it',
    'check the uplink, or the routes when the server is behind a tunnel',
    'silence',
  ],
  ECONNRESET: ['it ended the connection', 'look into the log of the server', 'silence'],
  EPIPE: ['it ended the connection', 'look into the log of the server', 'silence'],
  EPROTO: ['it does not speak TLS there', 'check the port, and that the server expects TLS on it', 'refused'],
  ERR_SSL_WRONG_VERSION_NUMBER: [
    'it does not speak TLS there',
    'check the port, and that the server expects TLS on it',
    'refused',
  ],
  ERR_TLS_CERT_ALTNAME_INVALID: [
    'its certificate is for another name',
    'set "serverName" to a name in it, or give the server a certificate with this name',
    'refused',
  ],
  CERT_HAS_EXPIRED: ['its certificate has expired', 'renew it, and check the clock of this router', 'refused'],
  CERT_NOT_YET_VALID: ['its certificate is not valid yet', 'set the clock of this router, which is behind', 'refused'],
  DEPTH_ZERO_SELF_SIGNED_CERT: ['no known authority has issued its certificate', AUTHORITY, 'refused'],
  SELF_SIGNED_CERT_IN_CHAIN: ['its certificate is of an authority that is not known here', AUTHORITY, 'refused'],
  UNABLE_TO_GET_ISSUER_CERT: ['its certificate is of an authority that is not known here', AUTHORITY, 'refused'],
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: [
    'its certificate is of an authority that is not known here',
    AUTHORITY,
    'refused',
  ],
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: [
    'its certificate is of an authority that is not known here',
    `${AUTHORITY}, or have the server send its chain`,
    'refused',
  ],
  CERT_SIGNATURE_FAILURE: ['the signature of its certificate is wrong', AUTHORITY, 'refused'],
  INVALID_PURPOSE: ['its certificate is not for servers', 'give the server one that is', 'refused'],
};

/** @param step `connect`, `TLS` or `send`. */
export function connectionFailure(step: string, error: unknown): Failure {
  const code = codeOf(error);
  const known = Object.hasOwn(CODES, code) ? CODES[code] : undefined;
  if (known !== undefined) {
    const [reason, remedy, cause] = known;
    return { step, reason, remedy, ...(cause === undefined ? {} : { cause }) };
  }
  const text = error instanceof Error ? error.message : String(error);
  // OpenSSL's own are lines long, and what the server sent may be in them.
  const reason = printable(text.split('\n')[0]?.slice(0, 200) ?? '').replace(/\.$/, '');
  // An alert says no, and will say it again.
  const cause = code.startsWith('ERR_SSL') ? 'refused' : 'silence';
  return { step, reason, remedy: 'look into the log of the server', cause };
}

function codeOf(error: unknown): string {
  const code = typeof error === 'object' && error !== null && 'code' in error ? error.code : undefined;
  return typeof code === 'string' ? code : '';
}
