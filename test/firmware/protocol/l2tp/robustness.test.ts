import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ByteWriter, concatBytes, utf8Bytes } from '../../../../firmware/protocol/bytes.ts';
import { writeAvp } from '../../../../firmware/protocol/l2tp/avp.ts';
import { encodeControlMessage } from '../../../../firmware/protocol/l2tp/control-message.ts';
import { L2tpEndpoint } from '../../../../firmware/protocol/l2tp/endpoint.ts';
import type { L2tpEndpointOptions } from '../../../../firmware/protocol/l2tp/endpoint-types.ts';
import { encodeZlb } from '../../../../firmware/protocol/l2tp/header.ts';
import { challengeResponse } from '../../../../firmware/protocol/l2tp/tunnel-authentication.ts';
import { SeededRandom } from '../../../support/seeded-random.ts';
import { CLIENT_END, CLIENT_PATH, Harness, SERVER_END, SERVER_PATH } from './harness.ts';
import { ICCN, ICRQ, INTRODUCTION, PEER_SESSION, PEER_TUNNEL, ScriptedPeer } from './scripted-peer.ts';

function server(options: Partial<L2tpEndpointOptions> = {}): L2tpEndpoint {
  return new L2tpEndpoint({ hostName: 'lns', accept: {}, ...options }, new SeededRandom(4));
}

function sccrq(peerTunnelId: number, tunnelId = 0): Uint8Array {
  const header = { tunnelId, sessionId: 0, ns: 0, nr: 0 };
  return encodeControlMessage(header, 'SCCRQ', { ...INTRODUCTION, assignedTunnelId: peerTunnelId });
}

/** A message of any type with any AVPs behind it. */
function anyMessage(
  peer: ScriptedPeer,
  type: number,
  options: { vendor?: number; mandatory?: boolean } = {},
): Uint8Array {
  const { vendor = 0, mandatory = true } = options;
  const writer = new ByteWriter();
  writer.u16(0xc802).u16(0).u16(peer.tunnelId).u16(0).u16(peer.ns).u16(peer.nr);
  writeAvp(writer, { mandatory, hidden: false, vendor, type: 0, value: new Uint8Array([type >>> 8, type & 0xff]) });
  peer.ns += 1;
  return writer.patchU16(2, writer.length).finish();
}

describe('a repeated SCCRQ', () => {
  it('gets the SCCRP again, byte for byte, and allocates nothing', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    const request = sccrq(PEER_TUNNEL);
    peer.raw(request);
    const tunnels = peer.endpoint.tunnels();
    for (let i = 0; i < 5; i++) expect(peer.raw(request)).toEqual(['SCCRP']);
    expect(peer.endpoint.tunnels()).toEqual(tunnels);
    for (const datagram of peer.datagrams) expect(datagram).toEqual(peer.datagrams[0]);
    expect(peer.endpoint.counters.duplicate).toBe(5);
  });

  it('with other octets makes no second half-open tunnel either', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    peer.raw(sccrq(PEER_TUNNEL));
    const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
    peer.raw(encodeControlMessage(header, 'SCCRQ', { ...INTRODUCTION, vendorName: 'other' }));
    expect(peer.endpoint.tunnels()).toHaveLength(1);
  });

  it('makes one tunnel for every tunnel id, port and address of the peer', () => {
    const endpoint = server({ limits: { halfOpenPerAddress: 10 } });
    const peer = new ScriptedPeer(endpoint, SERVER_PATH);
    peer.raw(sccrq(1));
    peer.raw(sccrq(2));
    peer.raw(sccrq(1), { remote: { ...CLIENT_END, port: 1701 }, local: SERVER_END });
    peer.raw(sccrq(1), { remote: { ...CLIENT_END, address: '192.0.2.7' }, local: SERVER_END });
    expect(endpoint.tunnels()).toHaveLength(4);
  });

  it('in an established tunnel makes the endpoint ask whether the peer still knows it', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    peer.raw(sccrq(PEER_TUNNEL));
    peer.ns = 1;
    peer.send('SCCCN', {});
    expect(peer.raw(sccrq(PEER_TUNNEL))).toEqual(['HELLO']);
    expect(peer.raw(sccrq(PEER_TUNNEL))).toEqual([]);
    expect(peer.endpoint.tunnels()).toHaveLength(1);
    expect(peer.endpoint.tunnels()[0]?.lastHeard).toBe(peer.now);
  });

  it('that differs, in an established tunnel, is a peer that has started anew', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    peer.raw(sccrq(PEER_TUNNEL));
    peer.ns = 1;
    peer.send('SCCCN', {});
    const header = { tunnelId: 0, sessionId: 0, ns: 0, nr: 0 };
    const other = encodeControlMessage(header, 'SCCRQ', { ...INTRODUCTION, vendorName: 'after the restart' });
    expect(peer.raw(other)).toEqual(['SCCRP']);
    expect(peer.endpoint.tunnels()).toHaveLength(2);
  });

  it('after the tunnel was closed is a straggler at first, and a new call later', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    peer.raw(sccrq(PEER_TUNNEL));
    peer.ns = 1;
    peer.send('SCCCN', {});
    peer.send('StopCCN', { assignedTunnelId: PEER_TUNNEL, resultCode: { resultCode: 1 } });
    expect(peer.raw(sccrq(PEER_TUNNEL))).toEqual([]);
    peer.wait(3000);
    expect(peer.raw(sccrq(PEER_TUNNEL))).toEqual(['SCCRP']);
  });
});

describe('strangers', () => {
  it('get nothing from an endpoint that does not accept', () => {
    const peer = new ScriptedPeer(new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(1)), SERVER_PATH);
    expect(peer.send('SCCRQ', INTRODUCTION)).toEqual([]);
    expect(peer.endpoint.counters.notAccepting).toBe(1);
    expect(peer.endpoint.tunnels()).toEqual([]);
  });

  it('get nothing for a tunnel that is not theirs', () => {
    const peer = ScriptedPeer.client(server());
    const stop = { assignedTunnelId: PEER_TUNNEL, resultCode: { resultCode: 1 } };
    const forged = encodeControlMessage({ tunnelId: peer.tunnelId, sessionId: 0, ns: 2, nr: 1 }, 'StopCCN', stop);
    peer.raw(forged, { remote: { ...CLIENT_END, address: '198.51.100.1' }, local: SERVER_END });
    peer.raw(forged, { remote: { ...CLIENT_END, port: 1 }, local: SERVER_END });
    expect(peer.endpoint.counters.wrongSource).toBe(2);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established' }]);
  });

  it('get nothing for a tunnel that does not exist, nor for SCCRP, SCCCN or Hello out of nowhere', () => {
    const peer = new ScriptedPeer(server(), SERVER_PATH);
    for (const tunnelId of [0, 77]) {
      peer.tunnelId = tunnelId;
      expect(peer.send('SCCRP', INTRODUCTION)).toEqual([]);
      expect(peer.send('SCCCN', {})).toEqual([]);
      expect(peer.send('HELLO', {})).toEqual([]);
      expect(peer.acknowledge()).toEqual([]);
    }
    expect(peer.endpoint.counters.unknownTunnel).toBe(8);
    expect(peer.endpoint.tunnels()).toEqual([]);
  });
});

describe('any octets at all', () => {
  const datagram = fc.oneof(
    fc.uint8Array({ maxLength: 100 }),
    fc.tuple(fc.constantFrom(0, 1, 2, 3), fc.uint8Array({ maxLength: 90 })).map(([ns, body]) =>
      concatBytes(
        new ByteWriter()
          .u16(0xc802)
          .u16(12 + body.length)
          .u32(0)
          .u16(ns)
          .u16(0)
          .finish(),
        body,
      ),
    ),
  );

  it('never throw and never make a tunnel', () => {
    const endpoint = server({ accept: { secret: 'x' } });
    fc.assert(
      fc.property(datagram, (octets) => {
        endpoint.receive(0, octets, SERVER_PATH);
        expect(endpoint.tunnels()).toEqual([]);
      }),
      { numRuns: 3000 },
    );
    expect(endpoint.counters.received).toBe(3000);
  });

  it('never throw in an established tunnel with a session, on either side', () => {
    fc.assert(
      fc.property(
        fc.array(fc.tuple(fc.nat(), fc.nat(), fc.integer({ min: 0, max: 255 })), { minLength: 1, maxLength: 30 }),
        fc.integer(),
        (changes, seed) => {
          const harness = new Harness({ seed });
          harness.connect();
          const samples = harness.sent.map((sent) => sent);
          for (const [which, at, octet] of changes) {
            const sample = samples[which % samples.length];
            if (sample === undefined) continue;
            const octets = sample.datagram.slice();
            octets[at % octets.length] = octet;
            // Near the sequence numbers that are expected, so that it gets past the window.
            if (at % 3 === 0) octets.set([0, 3 + (which % 3), 0, 2], 8);
            if (sample.from === 'client') harness.toServer(octets);
            else harness.toClient(octets);
          }
          harness.run(100_000);
        },
      ),
      { numRuns: 60 },
    );
  });
});

describe('messages that are odd', () => {
  it('of unknown type without the M bit are acknowledged and ignored', () => {
    const peer = ScriptedPeer.client(server());
    expect(peer.raw(anyMessage(peer, 99, { mandatory: false }))).toEqual(['ZLB']);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established' }]);
  });

  it('of unknown type with the M bit clear the tunnel', () => {
    const peer = ScriptedPeer.client(server());
    expect(peer.raw(anyMessage(peer, 99))).toEqual(['StopCCN']);
    expect(peer.last('StopCCN')?.body?.fields.resultCode).toMatchObject({ resultCode: 2, errorCode: 8 });
  });

  it('of a vendor are never fatal', () => {
    const peer = ScriptedPeer.client(server());
    expect(peer.raw(anyMessage(peer, 1, { vendor: 9 }))).toEqual(['ZLB']);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established' }]);
  });

  const unknown = { mandatory: true, hidden: false, vendor: 311, type: 7, value: new Uint8Array(3) };

  it('with an unknown mandatory AVP end the tunnel when they are about it', () => {
    const peer = ScriptedPeer.client(server());
    expect(peer.send('HELLO', {}, 0, [unknown])).toEqual(['StopCCN']);
    const { resultCode } = peer.last('StopCCN')?.body?.fields ?? {};
    expect(resultCode).toMatchObject({ resultCode: 2, errorCode: 8 });
    expect(resultCode?.message).toContain('vendor 311, attribute type 7');
    expect(peer.event('tunnel-down')).toMatchObject({ byPeer: false, failure: { step: 'HELLO' } });
  });

  it('with an unknown mandatory AVP end the session alone when they are about it', () => {
    const peer = ScriptedPeer.client(server());
    peer.send('ICRQ', ICRQ);
    expect(peer.send('ICCN', ICCN, peer.sessionId, [unknown])).toEqual(['CDN']);
    expect(peer.last('CDN')?.header.sessionId).toBe(PEER_SESSION);
    expect(peer.last('CDN')?.body?.fields.resultCode).toMatchObject({ resultCode: 2, errorCode: 8 });
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established', sessions: [] }]);
    expect(peer.send('ICRQ', { ...ICRQ, assignedSessionId: 5 }, 0, [unknown])).toEqual(['CDN']);
    expect(peer.last('CDN')?.header.sessionId).toBe(5);
  });

  it('with an unknown optional AVP are as good as without', () => {
    const peer = ScriptedPeer.client(server());
    expect(peer.send('ICRQ', ICRQ, 0, [{ ...unknown, mandatory: false }])).toEqual(['ICRP']);
  });

  it('like an SLI with an unknown mandatory AVP, or for no session, are never fatal', () => {
    const peer = ScriptedPeer.client(server());
    peer.send('ICRQ', ICRQ);
    const accm = { accm: { sendAccm: 0, receiveAccm: 0 } };
    expect(peer.send('SLI', accm, peer.sessionId, [unknown])).toEqual(['ZLB']);
    expect(peer.send('SLI', accm, 4711)).toEqual(['ZLB']);
    expect(peer.raw(anyMessage(peer, 16))).toEqual(['ZLB']);
    expect(peer.raw(anyMessage(peer, 15))).toEqual(['ZLB']);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established', sessions: [{ state: 'wait-connect' }] }]);
  });

  it('like a ZLB with a session id are taken by the tunnel', () => {
    const peer = ScriptedPeer.client(server());
    peer.send('ICRQ', ICRQ);
    const zlb = { tunnelId: peer.tunnelId, sessionId: 0x1234, ns: peer.ns, nr: peer.nr };
    expect(peer.raw(encodeZlb(zlb))).toEqual([]);
    expect(peer.endpoint.idle).toBe(false);
    expect(peer.wait(3000)).toEqual([]);
  });

  it('whose AVPs cannot be told apart are not acknowledged, and end the tunnel when they are repeated', () => {
    const peer = ScriptedPeer.client(server());
    const broken = anyMessage(peer, 6);
    broken[13] = 200;
    expect(peer.raw(broken)).toEqual([]);
    expect(peer.endpoint.tunnels()).toMatchObject([{ state: 'established' }]);
    expect(peer.endpoint.counters.malformed).toBe(1);
    expect(peer.raw(broken)).toEqual(['StopCCN']);
    expect(peer.last('StopCCN')?.body?.fields.resultCode).toMatchObject({ resultCode: 2, errorCode: 2 });
  });

  it('that were spoilt on the way are healed by the retransmission', () => {
    const peer = ScriptedPeer.client(server());
    const spoilt = anyMessage(peer, 6);
    peer.ns -= 1;
    spoilt[13] = 200;
    expect(peer.raw(spoilt)).toEqual([]);
    expect(peer.send('HELLO', {})).toEqual(['ZLB']);
    expect(peer.send('HELLO', {})).toEqual(['ZLB']);
  });

  it('are read from a copy: the buffer of the caller may be used again', () => {
    const peer = new ScriptedPeer(server({ accept: { secret: 'x' } }), SERVER_PATH);
    peer.send('SCCRQ', INTRODUCTION);
    const { challenge = new Uint8Array() } = peer.last('SCCRP')?.body?.fields ?? {};
    const response = challengeResponse('SCCCN', utf8Bytes('x'), challenge);
    const header = { tunnelId: peer.tunnelId, sessionId: 0, ns: 2, nr: 1 };
    const buffer = encodeControlMessage(header, 'SCCCN', { challengeResponse: response });
    peer.raw(buffer);
    buffer.fill(0xff);
    peer.ns = 1;
    peer.send('HELLO', {});
    expect(peer.event('tunnel-up')).toBeDefined();
  });

  it('of the ordinary kind get through in a server that speaks of a window of one', () => {
    const peer = new ScriptedPeer(new L2tpEndpoint({ hostName: 'lac' }, new SeededRandom(1)), CLIENT_PATH);
    const tunnelId = peer.endpoint.openTunnel(peer.now, { path: CLIENT_PATH });
    for (let i = 0; i < 5; i++) peer.endpoint.openSession(peer.now, tunnelId);
    peer.drain();
    expect(peer.send('SCCRP', { ...INTRODUCTION, receiveWindowSize: 1 })).toEqual(['SCCCN']);
    expect(peer.acknowledge()).toEqual(['ICRQ']);
    expect(peer.acknowledge()).toEqual(['ICRQ']);
  });
});
