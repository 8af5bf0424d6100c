/** Why a RADIUS server gave no answer, in words. */
import type { Failure } from '../machine.ts';
import { formatEndpoint, type UdpEndpoint } from '../udp-path.ts';
import type { RadiusService } from './client-types.ts';

/** What came instead of an answer that could be believed; the gravest is told. */
export type Trouble =
  | { readonly kind: 'silence' }
  | { readonly kind: 'unreachable'; readonly code: string }
  | { readonly kind: 'unresolved'; readonly failure: Failure }
  | { readonly kind: 'malformed' }
  | { readonly kind: 'no-message-authenticator' }
  | { readonly kind: 'wrong-secret' };

/** By how much each kind tells, the least first. */
const GRAVITY = [
  'silence',
  'unreachable',
  'unresolved',
  'malformed',
  'no-message-authenticator',
  'wrong-secret',
] as const;

export function graver(a: Trouble, b: Trouble): Trouble {
  return GRAVITY.indexOf(b.kind) > GRAVITY.indexOf(a.kind) ? b : a;
}

/** Whom the words are about. */
export interface TroubledServer {
  readonly host: string;
  readonly service: RadiusService;
  readonly port: number;
  readonly endpoint: UdpEndpoint | undefined;
}

const STEP = 'RADIUS';

/** What one server did. */
export function serverFailure(server: TroubledServer, trouble: Trouble): Failure {
  const name = serverName(server);
  switch (trouble.kind) {
    case 'silence':
      return {
        step: STEP,
        reason: `the RADIUS server ${name} does not answer`,
        remedy:
          `check that it runs, that UDP port ${server.port} is open on the way to it, and that it knows this router by ` +
          'its address and the same secret: to one that it does not know it is silent',
        cause: 'silence',
      };
    case 'unreachable':
      return {
        step: STEP,
        reason: `the RADIUS server ${name} cannot be reached: ${unreachable(trouble.code)}`,
        remedy: 'start it, or correct its address and port',
        cause: 'silence',
      };
    case 'unresolved':
      return {
        step: STEP,
        reason: `the address of the RADIUS server ${server.host} is not known: ${trouble.failure.reason}`,
        remedy: trouble.failure.remedy,
        cause: 'silence',
      };
    case 'malformed':
      return {
        step: STEP,
        reason: `the RADIUS server ${name} answers what is no RADIUS or breaks its rules`,
        remedy: 'check that a RADIUS server of a current version listens there; the log of that server may say more',
      };
    case 'no-message-authenticator':
      return {
        step: STEP,
        reason: `the RADIUS server ${name} answers without a Message-Authenticator, so anybody on the way could forge it`,
        remedy:
          'update that server, or let it put one into its answers (CVE-2024-3596); where it cannot, set ' +
          'requireMessageAuthenticator to false',
      };
    case 'wrong-secret':
      return {
        step: STEP,
        reason: `the RADIUS server ${name} answers, but not with our shared secret`,
        remedy: 'set the same secret in the configuration of this router and for this router at the server',
      };
  }
}

/** What all servers did that were asked about one user. @param failures one for each server, in the order of asking. */
export function noServerAnswered(failures: readonly Failure[]): Failure {
  const [first, ...others] = failures;
  if (first === undefined) {
    return { step: STEP, reason: 'no RADIUS server is configured', remedy: 'add one to the server’s configuration' };
  }
  if (others.length === 0) return first;
  return { ...first, reason: failures.map(({ reason }) => reason).join('; ') };
}

/** More is asked at a time than is sensible. */
export function tooManyQuestions(limit: number): Failure {
  return {
    step: STEP,
    reason: `${limit} questions to the RADIUS servers wait for an answer already`,
    remedy: 'see why the servers answer so slowly; who dials in again later gets an answer',
    cause: 'silence',
  };
}

/** `10.0.0.5:1812`, with its name before it where it has one. */
export function serverName({ host, port, endpoint }: TroubledServer): string {
  if (endpoint === undefined) return `${host}, port ${port}`;
  return endpoint.address === host ? formatEndpoint(endpoint) : `${host} (${formatEndpoint(endpoint)})`;
}

function unreachable(code: string): string {
  switch (code) {
    case 'ECONNREFUSED':
      return 'nothing listens on that port (ECONNREFUSED)';
    case 'EHOSTUNREACH':
      return 'the network says that there is no such host (EHOSTUNREACH)';
    case 'ENETUNREACH':
      return 'there is no route to it (ENETUNREACH)';
    default:
      return code;
  }
}
