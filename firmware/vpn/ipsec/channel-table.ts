import type { SaKey } from '../../dataplane/data-plane.ts';
import { sameEndpoint, samePath, type UdpPath } from '../../protocol/udp-path.ts';
import type { ChannelId } from './channel.ts';
import { type IkeRef, refKey } from './ike-endpoints.ts';
import type { IpsecOutput } from './ipsec-output.ts';
import { type Dial, type Pair, type PeerMark, ProtectedChannel } from './protected-channel.ts';

/** A pair and the channel that it protects. */
export interface Found {
  readonly channel: ProtectedChannel;
  readonly pair: Pair;
}

/** All channels, and how they are found. */
export class ChannelTable {
  readonly #emit: (output: IpsecOutput) => void;
  readonly #channels = new Map<ChannelId, ProtectedChannel>();
  /** A hub has hundreds: whoever asks for those of one connection does not look at all others. */
  readonly #byConnection = new Map<string, Set<ProtectedChannel>>();
  readonly #bySa = new Map<SaKey, Found>();
  readonly #byChild = new Map<string, Found>();

  constructor(emit: (output: IpsecOutput) => void) {
    this.#emit = emit;
  }

  create(id: ChannelId, connection: string, dial?: Dial): ProtectedChannel {
    const options = { id, connection, emit: this.#emit };
    const channel = new ProtectedChannel(dial === undefined ? options : { ...options, dial });
    this.#channels.set(id, channel);
    const ofConnection = this.#byConnection.get(connection) ?? new Set();
    this.#byConnection.set(connection, ofConnection.add(channel));
    return channel;
  }

  /** It is no more, and nothing of it is left in the data plane. */
  delete(channel: ProtectedChannel): void {
    for (const pair of channel.pairs) this.#forget(pair);
    channel.clear();
    this.#channels.delete(channel.id);
    const ofConnection = this.#byConnection.get(channel.connection);
    if (ofConnection?.delete(channel) && ofConnection.size === 0) this.#byConnection.delete(channel.connection);
  }

  add(channel: ProtectedChannel, pair: Pair, replaces: Pair | undefined): void {
    const found = { channel, pair };
    this.#bySa.set(pair.key, found);
    this.#byChild.set(refKey(pair.ref), found);
    channel.add(pair, replaces);
  }

  remove({ channel, pair }: Found): void {
    this.#forget(pair);
    channel.remove(pair);
  }

  get(id: ChannelId): ProtectedChannel | undefined {
    return this.#channels.get(id);
  }

  bySa(key: SaKey): Found | undefined {
    return this.#bySa.get(key);
  }

  byChild(child: IkeRef): Found | undefined {
    return this.#byChild.get(refKey(child));
  }

  all(): readonly ProtectedChannel[] {
    return [...this.#channels.values()];
  }

  of(connection: string): readonly ProtectedChannel[] {
    return [...(this.#byConnection.get(connection) ?? [])];
  }

  /** Those that have a pair of that IKE SA. */
  ofIke(ike: IkeRef): readonly ProtectedChannel[] {
    return this.all().filter(({ pairs }) => pairs.some((pair) => refKey(pair.ike) === refKey(ike)));
  }

  /** Another IKE SA has the pairs of `from` now. */
  adopt(from: IkeRef, to: IkeRef, path: UdpPath): void {
    for (const channel of this.all()) {
      const moved = channel.pairs.filter(({ ike }) => refKey(ike) === refKey(from));
      for (const pair of moved) pair.ike = to;
      if (moved.some((pair) => !samePath(pair.path, path))) channel.move(to, path);
      if (channel.lostIke !== undefined && refKey(channel.lostIke) === refKey(from)) channel.lostIke = to;
    }
  }

  /** The one of this very peer: same identity, outer address and port, and the same kind of traffic. */
  ofPeer(connection: string, mark: PeerMark): ProtectedChannel | undefined {
    return this.of(connection).find(
      (channel) =>
        channel.mark !== undefined &&
        channel.mark.identity === mark.identity &&
        channel.mark.selectors === mark.selectors &&
        sameEndpoint(channel.mark.remote, mark.remote),
    );
  }

  #forget(pair: Pair): void {
    this.#bySa.delete(pair.key);
    this.#byChild.delete(refKey(pair.ref));
  }
}
