/** What lies between phase 1 and the use of an ISAKMP SA: a login, an inner address. Each side of it, as the SA sees it. */
import type { Failure, Instant } from '../../machine.ts';
import type { AssignedConfiguration } from '../authentication.ts';
import type { IkeConnection } from '../ike-types.ts';
import { ConfigurationClient } from './configuration-client.ts';
import { ConfigurationServer, type ConfigurationServerHost } from './configuration-server.ts';
import type { ReceivedMessage } from './header.ts';

export interface ConfigurationSide {
  /** Nothing else is to be done under the SA yet. */
  readonly pending: boolean;
  readonly failure: Failure | undefined;
  /** When {@link tick} is wanted. */
  readonly deadline: Instant | undefined;
  /** What the peer assigned to this side. */
  readonly assigned: AssignedConfiguration | undefined;
  /** Who the peer has logged in as. */
  readonly user: string | undefined;
  /** The peer may go on, whether it is known to know that or not. */
  readonly granted: boolean;
  /** What it means that the peer deletes the SA now; `undefined` where that is nothing special. */
  readonly goodbye: Failure | undefined;
  /** Whether anything of this Transaction Exchange is wanted now. */
  expects(messageId: number): boolean;
  /** A Transaction Exchange. @returns whether it was genuine. @throws DecodeError when it is malformed. */
  receive(now: Instant, message: ReceivedMessage): boolean;
  tick(now: Instant): void;
  /** The connection as it is under the SA: for whatever has an address that was assigned. */
  narrowed(connection: IkeConnection): IkeConnection;
  /** The peer goes on as one does that knows that it may: its ACK was lost, or is late. */
  acknowledge(): void;
  /** The SA takes over from another one with the same peer. */
  inherit(from: ConfigurationSide): void;
  /** The SA is no more: what was given to the peer is free. */
  release(): void;
}

/** Whoever called logs in and takes an address, whoever was called asks and gives. @param wished an address, as caller. */
export function configurationSide(
  now: Instant,
  host: ConfigurationServerHost,
  wished: string | undefined,
): ConfigurationSide {
  return host.sa.initiator ? new ConfigurationClient(now, host, wished) : new ConfigurationServer(now, host);
}
