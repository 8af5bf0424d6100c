/** What goes into and comes out of the machine of an L2TP server (`server-machine.ts`). */
import type { EndpointLimits, HelloPolicy } from '../../protocol/l2tp/endpoint-types.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { PppAuthentication } from '../../protocol/ppp/link-types.ts';
import type { UdpEndpoint, UdpPath } from '../../protocol/udp-path.ts';
import type { ConnectionState, Step } from '../steps.ts';
import type { OutgoingCall } from './outgoing-desk.ts';
import type { ProxyTrust } from './proxy-avps.ts';
import type { ServerIpv6Options } from './server-ipv6.ts';
import type { ServerSessionOutput } from './server-session-types.ts';
import type { DataOptions, SessionShape } from './session-shape.ts';
import type { SessionRadius } from './session-users.ts';
import type { ForwardTarget } from './switchboard.ts';
import type { GrantSurroundings, ServerUser } from './user-grant.ts';

export interface L2tpServerOptions {
  readonly hostName: string;
  readonly localAddress: string;
  /** `first-last` */
  readonly pool: string;
  readonly dns: readonly string[];
  /** Absent: IPv6 is refused. */
  readonly ipv6?: ServerIpv6Options;
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly authentication: readonly PppAuthentication[];
  readonly secret?: string;
  readonly hideAvps: boolean;
  readonly mru: number;
  readonly hello?: Partial<HelloPolicy>;
  readonly limits?: Partial<EndpointLimits>;
  readonly data?: DataOptions;
  /** RADIUS servers judge who is not among the users. */
  readonly radius?: ServerRadius;
  /** How far a LAC is believed that has begun PPP in our place. Default: off. */
  readonly proxyAuthentication?: ProxyTrust;
  /** Other servers, to which callers are handed on by their name. */
  readonly forward?: readonly ForwardTarget[];
  /** Branches that this server calls. */
  readonly calls?: readonly OutgoingCall[];
}

/** What RADIUS needs of a server. */
export interface ServerRadius extends Omit<SessionRadius, 'sessionName'> {
  /** What the router says to an address or a route that RADIUS grants; `undefined`: nothing against it. */
  readonly review: GrantSurroundings['review'];
}

/** An output of a session, with its id. */
type OfSession<Kind extends ServerSessionOutput['kind']> = Extract<ServerSessionOutput, { kind: Kind }> & {
  readonly id: string;
};

/** Data-plane keys of sessions are handed out by the driver's caller, since they are unique over all of the router. */
export type L2tpServerOutput =
  | { readonly kind: 'send'; readonly datagram: Uint8Array; readonly path: UdpPath }
  | { readonly kind: 'put-session'; readonly id: string; readonly shape: SessionShape }
  | { readonly kind: 'remove-session'; readonly id: string }
  | { readonly kind: 'ppp-send'; readonly id: string; readonly frame: Uint8Array }
  /** A user's network stands or is gone, or its proof wants to be judged by a RADIUS server. */
  | OfSession<'user-up' | 'user-down' | 'user-ipv6' | 'ask'>
  /** A session ended; for the log. */
  | { readonly kind: 'session-ended'; readonly id: string; readonly user?: string; readonly failure: Failure }
  | { readonly kind: 'tunnel-ended'; readonly remote: UdpEndpoint; readonly failure: Failure }
  /** A call of this server to a branch has another state. */
  | { readonly kind: 'call-state'; readonly name: string; readonly state: ConnectionState; readonly failure?: Failure }
  | ({ readonly kind: 'step'; readonly id: string } & Step);
