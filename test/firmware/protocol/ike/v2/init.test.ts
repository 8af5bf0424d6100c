import { describe, expect, it } from 'vitest';
import { HEADER_OCTETS } from '../../../../../firmware/protocol/ike/message-header.ts';
import { decodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import { findNotify, notify } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { decodeChain } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { encodeUnprotected } from '../../../../../firmware/protocol/ike/v2/unprotected.ts';
import { FAST_IKE, Harness, PATH, problems, RIGHT_ADDRESS } from './harness.ts';

function payloadsOf(datagram: Uint8Array) {
  const { nextPayload } = decodeHeader(datagram);
  return decodeChain(nextPayload, datagram.subarray(HEADER_OCTETS)).payloads;
}

describe('IKE_SA_INIT', () => {
  it('is done again with the COOKIE that a responder under load asks for, and the COOKIE comes first', () => {
    const harness = new Harness({ rightOptions: { limits: { cookieThreshold: 0 } } });
    harness.initiate();
    const first = harness.pass('left');
    const asked = harness.pass('right');
    expect(payloadsOf(asked.datagram).map(({ kind }) => kind)).toEqual(['N']);
    expect(harness.right.views()).toEqual([]);
    const second = harness.take('left');
    expect(payloadsOf(second.datagram)[0]).toEqual(findNotify(payloadsOf(asked.datagram), 'COOKIE'));
    expect(payloadsOf(second.datagram).slice(1)).toEqual(payloadsOf(first.datagram));
    harness.deliver(second);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.right.counters.cookieSent).toBe(1);
  });

  it('takes a COOKIE only from the address and port that it was sent to, and not for long', () => {
    const harness = new Harness({ rightOptions: { limits: { cookieThreshold: 0 } } });
    harness.initiate();
    harness.pass('left');
    harness.pass('right');
    const { datagram } = harness.take('left');
    const from = (address: string, port: number) => ({
      local: { address: RIGHT_ADDRESS, port: 500 },
      remote: { address, port },
    });
    harness.right.receive(harness.now, datagram, from('192.0.2.77', 500));
    harness.right.receive(harness.now, datagram, from('192.0.2.1', 501));
    harness.right.receive(harness.now + 300_000, datagram, from('192.0.2.1', 500));
    expect(harness.right.views()).toEqual([]);
    expect(harness.right.counters.cookieSent).toBe(4);
    harness.right.receive(harness.now + 300_000, datagram, from('192.0.2.1', 500));
    expect(harness.right.views()).toEqual([]);
  });

  it('honours COOKIE and INVALID_KE_PAYLOAD once each', () => {
    const groups = (...names: string[]) => ({ ikeProposals: names.map((group) => ({ ...FAST_IKE, group })) });
    const harness = new Harness({
      left: groups('ecp256', 'x25519'),
      right: groups('x25519'),
      rightOptions: { limits: { cookieThreshold: 0 } },
    });
    harness.connect();
    expect(problems(harness)).toEqual([]);
    expect(harness.log.filter((line) => line.startsWith('left: IKE_SA_INIT'))).toHaveLength(3);
    expect(harness.last('left', 'ike-up').proposal.group).toBe('x25519');
  });

  it('is not led round in circles by forged COOKIEs and INVALID_KE_PAYLOADs', () => {
    const harness = new Harness({ left: { ikeProposals: [FAST_IKE, { ...FAST_IKE, group: 'ecp256' }] } });
    harness.initiate();
    const { datagram } = harness.take('left');
    const header = { ...decodeHeader(datagram), response: true, fromInitiator: false };
    const forge = (name: 'COOKIE' | 'INVALID_KE_PAYLOAD', data: Uint8Array): void => {
      const forged = encodeUnprotected(header, [notify(name, data)]);
      harness.left.receive(harness.now, forged, PATH);
      harness.drain();
    };
    for (let count = 0; count < 5; count += 1) {
      forge('COOKIE', Uint8Array.of(count, 1));
      forge('INVALID_KE_PAYLOAD', Uint8Array.of(0, count % 2 === 0 ? 19 : 31));
      // Not one of ours.
      forge('INVALID_KE_PAYLOAD', Uint8Array.of(0, 2));
    }
    expect(harness.log.filter((line) => line.startsWith('left: IKE_SA_INIT request'))).toHaveLength(3);
  });

  it('is answered again octet for octet when it is repeated, and makes nothing new', () => {
    const harness = new Harness();
    harness.initiate();
    const request = harness.pass('left');
    const response = harness.take('right');
    harness.deliver(request);
    expect(harness.take('right').datagram).toEqual(response.datagram);
    expect(harness.right.views()).toHaveLength(1);
    expect(harness.right.counters.duplicate).toBe(1);
    harness.deliver(response);
    harness.deliverAll();
    harness.deliver(request);
    expect(harness.flying).toEqual([]);
    expect(harness.right.views()).toHaveLength(1);
  });

  it('says what was offered, and what would have matched, when there is no common proposal', () => {
    const harness = new Harness({ left: { ikeProposals: [{ ...FAST_IKE, encryption: 'aes256gcm16' }] } }).connect();
    const { failure } = harness.last('right', 'ike-down');
    expect(failure.reason).toContain('aes256gcm16');
    expect(failure.reason).toContain('aes128gcm16-prfsha256-x25519');
    expect(harness.all('left', 'ike-down')).toEqual([]);
    // Anybody could have sent the refusal: a better answer has a little time to come.
    harness.run(10_000);
    expect(harness.last('left', 'ike-down').failure.reason).toContain('NO_PROPOSAL_CHOSEN');
    expect(harness.last('left', 'ike-down').failure.reason).toContain('aes256gcm16');
    expect(harness.left.idle).toBe(true);
  });

  it('comes up although somebody forged a refusal before the answer', () => {
    const harness = new Harness();
    harness.initiate();
    const request = harness.take('left');
    const header = { ...decodeHeader(request.datagram), response: true, fromInitiator: false };
    harness.left.receive(harness.now, encodeUnprotected(header, [notify('NO_PROPOSAL_CHOSEN')]), PATH);
    harness.deliver(request);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('says that nobody answered, after retransmitting the same octets at growing intervals', () => {
    const harness = new Harness({ faults: { loss: 1 } });
    const sent: Uint8Array[] = [];
    const times: number[] = [];
    const ikeId = harness.left.initiate(harness.now, 'office', PATH);
    const start = harness.now;
    for (;;) {
      for (let output = harness.left.poll(); output !== undefined; output = harness.left.poll()) {
        if (output.kind === 'send') {
          sent.push(output.datagram);
          times.push(harness.now - start);
        } else harness.events.left.push(output);
      }
      const next = harness.left.nextDeadline();
      if (next === undefined) break;
      harness.now = next;
      harness.left.tick(next);
    }
    expect(times).toEqual([0, 1000, 3000, 7000, 15_000, 23_000]);
    for (const datagram of sent) expect(datagram).toEqual(sent[0]);
    expect(harness.last('left', 'ike-down')).toMatchObject({ ikeId, failure: { step: 'IKE_SA_INIT' } });
    expect(harness.last('left', 'ike-down').failure.remedy).toContain('UDP port 500');
  });

  it('says that nothing listens when the network says so, but not before an answer had time to come', () => {
    const harness = new Harness({ faults: { loss: 1 } });
    harness.initiate();
    harness.left.pathError(harness.now, PATH.remote, 'ECONNREFUSED');
    harness.drain();
    expect(harness.all('left', 'ike-down')).toEqual([]);
    harness.run(3000);
    expect(harness.last('left', 'ike-down').failure.reason).toBe('nothing listens on 192.0.2.2:500');
  });

  it('is not answered at all where no connection takes callers from there', () => {
    const harness = new Harness({ right: { remote: '192.0.2.99' } }).connect();
    expect(harness.log).toEqual(['left: IKE_SA_INIT request 0']);
    expect(harness.right.counters.notAccepting).toBe(1);
  });

  it('answers a higher major version with INVALID_MAJOR_VERSION', () => {
    const harness = new Harness();
    harness.initiate();
    const { datagram } = harness.take('left');
    const higher = datagram.slice();
    higher[17] = 0x30;
    harness.right.receive(harness.now, higher, { local: PATH.remote, remote: PATH.local });
    harness.drain();
    const answer = harness.take('right');
    expect(payloadsOf(answer.datagram)).toMatchObject([{ kind: 'N', type: 5 }]);
  });

  it('refuses public values that are none', () => {
    const harness = new Harness();
    harness.initiate();
    const { datagram } = harness.take('left');
    // KE of X25519: all zeros leads to an all-zero secret.
    const key = payloadsOf(datagram).find(({ kind }) => kind === 'KE');
    const at = key?.kind === 'KE' ? Buffer.from(datagram).indexOf(Buffer.from(key.data)) : -1;
    expect(at).toBeGreaterThan(0);
    datagram.fill(0, at, at + 32);
    harness.right.receive(harness.now, datagram, { local: PATH.remote, remote: PATH.local });
    harness.drain();
    expect(harness.right.views()).toEqual([]);
    expect(harness.flying).toEqual([]);
    expect(harness.right.counters.malformed).toBe(1);
  });
});
