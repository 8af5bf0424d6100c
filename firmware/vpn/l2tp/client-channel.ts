import type { Failure } from '../../protocol/machine.ts';
import type { UdpPath } from '../../protocol/udp-path.ts';
import type { Channel, ChannelRequest, IpsecChannels } from '../ipsec/channel.ts';
import type { ChannelView } from './client-types.ts';

export interface ClientChannelEvents {
  readonly up: (path: UdpPath) => void;
  readonly down: (failure: Failure) => void;
}

const NO_IPSEC: Failure = {
  step: 'IPsec',
  reason: 'this router has no IPsec service that could protect the connection',
  remedy: 'see the log for why it was not started',
};

/** The protected channel of a client: one at a time, and nothing is heard of earlier ones. */
export class ClientChannel {
  readonly #channels: IpsecChannels | undefined;
  readonly #events: ClientChannelEvents;
  #channel: Channel | undefined;

  constructor(channels: IpsecChannels | undefined, events: ClientChannelEvents) {
    this.#channels = channels;
    this.#events = events;
  }

  /** Of the present channel. */
  readonly view: ChannelView = {
    heard: () => this.#channel?.heard ?? false,
    udpEncapsulation: () => this.#channel?.udpEncapsulation ?? false,
  };

  /** Begins to set one up; one that is still there is closed. */
  open(request: ChannelRequest): void {
    this.close();
    if (this.#channels === undefined) {
      this.#events.down(NO_IPSEC);
      return;
    }
    const channel = this.#channels.dial(request, {
      up: (path) => {
        if (this.#channel === channel) this.#events.up(path);
      },
      down: (failure) => {
        if (this.#channel !== channel) return;
        // Forgotten only afterwards: whoever is told may ask whether anything was heard.
        this.#events.down(failure);
        if (this.#channel === channel) this.#channel = undefined;
      },
    });
    this.#channel = channel;
  }

  reportMute(): void {
    this.#channel?.reportMute();
  }

  /** Harmless when there is none. */
  close(): void {
    const channel = this.#channel;
    this.#channel = undefined;
    channel?.close();
  }
}
