/**
 * What IPsec gives to those who want to be protected: a channel to one peer. Whatever goes through it is encrypted from its
 * first packet on, and nothing passes while its SAs are missing. Rekeying, a NAT that remaps the peer and other such matters
 * happen below it.
 */
import type { PolicyKey, SocketId } from '../../dataplane/data-plane.ts';
import type { Failure } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';

/** The key of the channel's policy in the data plane, and the `bearer` of its paths. */
export type ChannelId = PolicyKey;

export interface ChannelRequest {
  /** Name in `ipsec.connections`. */
  readonly connection: string;
  /** IP address of the peer, resolved. */
  readonly remoteAddress: string;
  /** What goes through it: L2TP of this `protected-l2tp` socket, between these inner UDP ports. */
  readonly inside: {
    readonly kind: 'l2tp';
    readonly socket: SocketId;
    readonly localPort: number;
    readonly remotePort: number;
  };
}

export interface ChannelListener {
  /**
   * The SAs stand.
   * @param path of what goes through it: inner ports, this side's address, `bearer`.
   */
  up(path: UdpPath): void;
  /** It is over, up or not; the last call. Not called for a channel that its owner has closed. */
  down(failure: Failure): void;
}

export interface Channel {
  readonly id: ChannelId;
  /** Whether any protected packet has come in by it. Without one, something between the peers may be swallowing ESP. */
  readonly heard: boolean;
  /** ESP goes in UDP; meaningful once it is up. */
  readonly udpEncapsulation: boolean;
  /** Nothing passes any more; the peer is told. Harmless when it is over. */
  close(): void;
  /**
   * The user of the channel never got an answer through it although it is up: the next one to this peer tries another
   * encapsulation, where there is a choice. The caller closes it.
   */
  reportMute(): void;
}

/** Who takes calls on a connection with `remote: "any"`. */
export interface ChannelServer {
  /** `protected-l2tp` socket that the datagrams of all its channels belong to. */
  readonly socket: SocketId;
  /** Somebody called and proved to be allowed. What it sends comes as datagrams with this bearer. */
  up(channel: ChannelId): void;
  /** The channel is over: whatever ran in it is, too. */
  down(channel: ChannelId, failure: Failure): void;
}

export interface IpsecChannels {
  /** Begins to set up a channel. The listener is never called before this returns. */
  dial(request: ChannelRequest, listener: ChannelListener): Channel;
  /**
   * Takes calls for the connection, from now until the function that is returned is called; that ends its channels, too.
   * @throws Error in words when calls cannot be taken (ports 500 or 4500 are taken by another process).
   */
  serve(connection: string, server: ChannelServer): Promise<() => void>;
}
