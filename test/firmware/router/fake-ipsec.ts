import type { IkeSecrets } from '../../../firmware/protocol/ike/ike-types.ts';
import type { Failure } from '../../../firmware/protocol/machine.ts';
import type { IpsecControl, IpsecFactory, IpsecSurroundings } from '../../../firmware/router/ipsec-control.ts';
import type { Channel, ChannelListener, ChannelRequest, ChannelServer } from '../../../firmware/vpn/ipsec/channel.ts';
import type { IpsecConnectionInfo, IpsecConnectionSettings } from '../../../firmware/vpn/ipsec/ipsec-types.ts';
import type { ConnectionState } from '../../../firmware/vpn/steps.ts';

/** An IPsec service that talks to nobody, writes down what it is asked, in order, and says what a test tells it to say. */
export class FakeIpsec implements IpsecControl {
  /** `set hq plant`, `dial hq`, `close hq`, `serve all`, `unserve all`, `connect plant`, `disconnect plant`, `stop`. */
  readonly calls: string[] = [];
  settings: readonly IpsecConnectionSettings[] = [];
  surroundings: IpsecSurroundings | undefined;
  /** What the making of the service, or the next configuration, is refused with. */
  refused: string | undefined;
  made = 0;
  readonly listeners = new Map<string, ChannelListener>();
  readonly #states = new Map<string, { readonly state: ConnectionState; readonly failure?: Failure }>();

  readonly factory: IpsecFactory = async (surroundings) => {
    this.made += 1;
    if (this.refused !== undefined) throw new Error(this.refused);
    this.surroundings = surroundings;
    return this;
  };

  async setConnections(connections: readonly IpsecConnectionSettings[]): Promise<void> {
    this.calls.push(['set', ...connections.map(({ name }) => name)].join(' '));
    if (this.refused !== undefined) throw new Error(this.refused);
    this.settings = connections;
  }

  dial(request: ChannelRequest, listener: ChannelListener): Channel {
    this.calls.push(`dial ${request.connection}`);
    this.listeners.set(request.connection, listener);
    return {
      id: 1,
      heard: false,
      udpEncapsulation: false,
      close: () => void this.calls.push(`close ${request.connection}`),
      reportMute: () => undefined,
    };
  }

  async serve(connection: string, _server: ChannelServer): Promise<() => void> {
    this.calls.push(`serve ${connection}`);
    return () => void this.calls.push(`unserve ${connection}`);
  }

  connect(name: string): void {
    this.calls.push(`connect ${name}`);
    this.say(name, 'connecting');
  }

  async disconnect(name: string): Promise<void> {
    this.calls.push(`disconnect ${name}`);
    this.say(name, 'down');
  }

  networkChanged(): void {
    this.calls.push('network changed');
  }

  uplinkChanged(): void {
    this.calls.push('uplink changed');
  }

  keys: readonly IkeSecrets[] = [];

  secrets(): readonly IkeSecrets[] {
    return this.keys;
  }

  info(): readonly IpsecConnectionInfo[] {
    return this.settings.map(({ name, version, mode, remote }) => ({
      name,
      version,
      mode,
      remote,
      state: 'down',
      stateSince: 0,
      ikeSas: [],
      ...this.#states.get(name),
    }));
  }

  async stop(): Promise<void> {
    this.calls.push('stop');
  }

  /** The connection changes its state. */
  say(name: string, state: ConnectionState, failure?: Failure): void {
    this.#states.set(name, { state, ...(failure ? { failure } : {}) });
    this.surroundings?.onState(name, state, failure);
  }
}
