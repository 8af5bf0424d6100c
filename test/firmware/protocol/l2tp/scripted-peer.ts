/** A peer that says exactly what a test wants, to one L2TP endpoint, over a network that loses nothing. */
import type { RawAvp } from '../../../../firmware/protocol/l2tp/avp.ts';
import {
  type AvpFields,
  type ControlMessage,
  decodeControlMessage,
  encodeControlMessage,
} from '../../../../firmware/protocol/l2tp/control-message.ts';
import type { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { L2tpOutput } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import { encodeZlb } from '../../../../firmware/protocol/l2tp/header.ts';
import type { MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';
import type { UdpPath } from '../../../../firmware/protocol/udp-path.ts';
import { CLIENT_PATH, nameOf, type OutputOf, SERVER_PATH } from './harness.ts';

/** Tunnel and session id of the peer, as it assigns them. */
export const PEER_TUNNEL = 0x5151;
export const PEER_SESSION = 0x6161;

/** What SCCRQ and SCCRP of the peer have in common. */
export const INTRODUCTION: AvpFields = {
  protocolVersion: { version: 1, revision: 0 },
  framingCapabilities: 3,
  hostName: 'peer.example',
  assignedTunnelId: PEER_TUNNEL,
  receiveWindowSize: 8,
};

export const ICRQ: AvpFields = { assignedSessionId: PEER_SESSION, callSerialNumber: 1 };
export const ICCN: AvpFields = { txConnectSpeed: 1_000_000, framingType: 1 };

export class ScriptedPeer {
  now = 5_000_000;
  ns = 0;
  nr = 0;
  /** The endpoint's tunnel id, taken from its SCCRQ or SCCRP. */
  tunnelId = 0;
  /** The endpoint's session id, taken from its ICRQ, ICRP, OCRQ or OCRP. */
  sessionId = 0;
  readonly received: ControlMessage[] = [];
  readonly datagrams: Uint8Array[] = [];
  readonly events: L2tpOutput[] = [];
  readonly endpoint: L2tpEndpoint;
  path: UdpPath;

  /** @param path as the endpoint sees it. */
  constructor(endpoint: L2tpEndpoint, path: UdpPath) {
    this.endpoint = endpoint;
    this.path = path;
  }

  /** A peer that has opened its tunnel to an accepting endpoint. */
  static client(endpoint: L2tpEndpoint): ScriptedPeer {
    const peer = new ScriptedPeer(endpoint, SERVER_PATH);
    peer.send('SCCRQ', INTRODUCTION);
    peer.send('SCCCN', {});
    return peer;
  }

  /** A peer to which the endpoint has opened a tunnel. */
  static server(endpoint: L2tpEndpoint): ScriptedPeer {
    const peer = new ScriptedPeer(endpoint, CLIENT_PATH);
    endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    peer.drain();
    peer.send('SCCRP', INTRODUCTION);
    return peer;
  }

  /** Sends a message in its turn. @returns what the endpoint answered, by name. */
  send(name: MessageName, fields: AvpFields, sessionId = 0, extra: readonly Omit<RawAvp, 'reserved'>[] = []): string[] {
    const header = { tunnelId: this.tunnelId, sessionId, ns: this.ns, nr: this.nr };
    this.ns = (this.ns + 1) & 0xffff;
    return this.raw(encodeControlMessage(header, name, fields, undefined, extra));
  }

  acknowledge(): string[] {
    return this.raw(encodeZlb({ tunnelId: this.tunnelId, sessionId: 0, ns: this.ns, nr: this.nr }));
  }

  /** Sends any octets. */
  raw(datagram: Uint8Array, path: UdpPath = this.path): string[] {
    const before = this.received.length;
    this.endpoint.receive(this.now, datagram, path);
    this.drain();
    return this.received.slice(before).map(nameOf);
  }

  /** Lets `ms` pass; what the endpoint sends meanwhile is not acknowledged. */
  wait(ms: number): string[] {
    const before = this.received.length;
    const end = this.now + ms;
    for (
      let next = this.endpoint.nextDeadline();
      next !== undefined && next <= end;
      next = this.endpoint.nextDeadline()
    ) {
      this.now = Math.max(this.now, next);
      this.endpoint.tick(this.now);
      this.drain();
    }
    this.now = end;
    return this.received.slice(before).map(nameOf);
  }

  drain(): void {
    for (let output = this.endpoint.poll(); output !== undefined; output = this.endpoint.poll()) {
      if (output.kind !== 'send') {
        this.events.push(output);
        continue;
      }
      const message = decodeControlMessage(output.datagram);
      this.received.push(message);
      this.datagrams.push(output.datagram);
      if (message.body === undefined) continue;
      if (message.header.ns === this.nr) this.nr = (this.nr + 1) & 0xffff;
      if (message.body.name === 'SCCRQ' || message.body.name === 'SCCRP') {
        this.tunnelId = message.body.fields.assignedTunnelId ?? 0;
      }
      if (message.body.name !== undefined && /^[IO]CR[QP]$/.test(message.body.name)) {
        this.sessionId = message.body.fields.assignedSessionId ?? 0;
      }
    }
  }

  /** The last message of this name that the endpoint sent. */
  last(name: MessageName): ControlMessage | undefined {
    return this.received.findLast((message) => nameOf(message) === name);
  }

  event<Kind extends L2tpOutput['kind']>(kind: Kind): OutputOf<Kind> | undefined {
    return this.events.findLast((event): event is OutputOf<Kind> => event.kind === kind);
  }
}
