import type { Failure } from '../../../../firmware/protocol/machine.ts';
import type {
  Channel,
  ChannelListener,
  ChannelRequest,
  ChannelServer,
  IpsecChannels,
} from '../../../../firmware/vpn/ipsec/channel.ts';

export class FakeChannel implements Channel {
  readonly id: number;
  readonly request: ChannelRequest;
  readonly listener: ChannelListener;
  heard = true;
  udpEncapsulation = false;
  /** `up`, `report-mute`, `close`: what happened to it, in order. */
  readonly log: string[] = [];
  /** The peer's channel, while both stand. */
  peer: { readonly id: number; readonly server: ChannelServer } | undefined;
  over = false;

  constructor(id: number, request: ChannelRequest, listener: ChannelListener) {
    this.id = id;
    this.request = request;
    this.listener = listener;
  }

  /** The SAs stand. @param local address of this side. */
  up(local = '192.168.1.10'): void {
    this.log.push('up');
    const { remoteAddress, inside } = this.request;
    this.listener.up({
      remote: { address: remoteAddress, port: inside.remotePort },
      local: { address: local, port: inside.localPort },
      bearer: this.id,
    });
  }

  /** IPsec loses it. */
  down(failure: Failure): void {
    this.over = true;
    this.listener.down(failure);
  }

  close(): void {
    if (this.over) return;
    this.over = true;
    this.log.push('close');
  }

  reportMute(): void {
    this.log.push('report-mute');
  }
}

/** IPsec on paper: channels are asked for, and the test says what becomes of them. */
export class FakeChannels implements IpsecChannels {
  readonly dialled: FakeChannel[] = [];
  readonly served: { readonly connection: string; readonly server: ChannelServer; stopped: boolean }[] = [];
  /** Why calls cannot be taken. */
  refused: string | undefined;
  /** What `serve` waits for. */
  gate: Promise<void> | undefined;
  /** Told of each channel that is asked for, after `dial` has returned. */
  onDial: (channel: FakeChannel) => void = () => undefined;
  #lastId = 500;

  dial(request: ChannelRequest, listener: ChannelListener): Channel {
    const channel = new FakeChannel(this.nextId(), request, listener);
    this.dialled.push(channel);
    queueMicrotask(() => this.onDial(channel));
    return channel;
  }

  async serve(connection: string, server: ChannelServer): Promise<() => void> {
    await this.gate;
    if (this.refused !== undefined) throw new Error(this.refused);
    const entry = { connection, server, stopped: false };
    this.served.push(entry);
    return () => {
      entry.stopped = true;
    };
  }

  nextId(): number {
    this.#lastId += 1;
    return this.#lastId;
  }

  /** Those that nobody has closed or lost. */
  get open(): readonly FakeChannel[] {
    return this.dialled.filter(({ over }) => !over);
  }
}
