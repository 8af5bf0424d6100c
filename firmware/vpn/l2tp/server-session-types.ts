/** What goes into and comes out of one session of a server (`server-session.ts`). */
import type { Failure } from '../../protocol/machine.ts';
import type { PppAuthentication, PppOutput } from '../../protocol/ppp/link-types.ts';
import type { RadiusAttribute } from '../../protocol/radius/attribute-value.ts';
import type { Step } from '../steps.ts';
import type { ProxyTrust } from './proxy-avps.ts';
import type { ServerIpv6 } from './server-ipv6.ts';
import type { DataOptions, SessionShape } from './session-shape.ts';
import type { AccountedUser, SessionRadius } from './session-users.ts';
import type { ServerUser } from './user-grant.ts';

export interface ServerSessionOptions {
  readonly hostName: string;
  readonly localAddress: string;
  readonly dns: readonly string[];
  readonly users: Readonly<Record<string, ServerUser>>;
  readonly authentication: readonly PppAuthentication[];
  readonly mru: number;
  /** Whether a caller of this name is for another server. */
  readonly handOver?: (name: Uint8Array) => boolean;
  /** How far a LAC is believed that has begun PPP in our place. Default: off. */
  readonly proxyAuthentication?: ProxyTrust;
  readonly data?: DataOptions;
  /** Absent: IPv6 is refused. */
  readonly ipv6?: ServerIpv6;
  /** Users who are not of the configuration are judged by RADIUS servers. */
  readonly radius?: SessionRadius;
}

export type ServerSessionOutput =
  | { readonly kind: 'put-session'; readonly shape: SessionShape }
  | { readonly kind: 'ppp-send'; readonly frame: Uint8Array }
  | {
      readonly kind: 'user-up';
      readonly user: string;
      readonly address: string;
      /** CIDR: the address, and the networks behind the user. */
      readonly prefixes: readonly string[];
      /** The user has an address or networks of its own, and so can be in one place only. */
      readonly unique: boolean;
      /** Silence of user packets after which the session shall end, ms. */
      readonly idleMs?: number;
      readonly accounted?: AccountedUser;
    }
  | {
      readonly kind: 'user-down';
      readonly user: string;
      readonly address: string;
      /** Acct-Session-Id, when it was accounted, and Acct-Terminate-Cause (RFC 2866 section 5.10). */
      readonly accounted?: { readonly session: string; readonly cause: number };
    }
  /** IPv6 of a user that is up stands, or is gone: what is routed to it, CIDR. */
  | {
      readonly kind: 'user-ipv6';
      readonly user: string;
      readonly prefix?: string;
      readonly prefixes: readonly string[];
    }
  /** A RADIUS server shall be asked; the answer goes to `answered` or `unanswered`. */
  | {
      readonly kind: 'ask';
      readonly verification: number;
      readonly attributes: readonly RadiusAttribute[];
      /** That one alone. */
      readonly server?: number;
    }
  /** The caller is for another server; nothing follows. */
  | Extract<PppOutput, { kind: 'handed-over' }>
  | ({ readonly kind: 'step' } & Step)
  | { readonly kind: 'down'; readonly failure: Failure };
