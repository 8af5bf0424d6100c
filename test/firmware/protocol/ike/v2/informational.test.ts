import { describe, expect, it } from 'vitest';
import { decodeHeader } from '../../../../../firmware/protocol/ike/v2/header.ts';
import { notify } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { qcdToken } from '../../../../../firmware/protocol/ike/v2/qcd.ts';
import { encodeUnprotected } from '../../../../../firmware/protocol/ike/v2/unprotected.ts';
import { Harness, MOVED_PATH, PATH, problems } from './harness.ts';

const SECRETS = {
  leftOptions: { qcdSecret: new Uint8Array(32).fill(1) },
  rightOptions: { qcdSecret: new Uint8Array(32).fill(2) },
};
const REVERSED = { local: PATH.remote, remote: PATH.local };

describe('liveness', () => {
  it('is asked about after so many seconds of silence, and a living peer answers', () => {
    const harness = new Harness({ left: { dpdSeconds: 10 } }).connect();
    const sent = harness.log.length;
    harness.run(9900);
    expect(harness.log.length).toBe(sent);
    harness.run(200);
    expect(harness.log.slice(sent)).toEqual(['left: INFORMATIONAL request 2', 'right: INFORMATIONAL response 2']);
    expect(problems(harness)).toEqual([]);
  });

  it('is not asked about while ESP comes in', () => {
    const harness = new Harness({ left: { dpdSeconds: 10 } }).connect();
    const sent = harness.log.length;
    for (let count = 0; count < 30; count += 1) {
      harness.run(5000);
      harness.traffic();
    }
    expect(harness.log.length).toBe(sent);
  });

  it('is denied to a peer that stays silent: everything ends, and the reason says so', () => {
    const harness = new Harness({ left: { dpdSeconds: 10 } }).connect();
    harness.faults = { loss: 1 };
    harness.run(60_000);
    expect(harness.last('left', 'ike-down').failure).toMatchObject({
      step: 'liveness',
      reason: 'the peer 192.0.2.2:4500 does not answer any more',
    });
    expect(harness.all('left', 'child-down')).toHaveLength(1);
    expect(harness.left.idle).toBe(true);
  });

  it('is asked about at once when the network reports an error, which alone ends nothing', () => {
    const harness = new Harness().connect();
    harness.left.pathError(harness.now, MOVED_PATH.remote, 'EHOSTUNREACH');
    harness.drain();
    expect(harness.flying.map(({ name }) => name)).toEqual(['INFORMATIONAL request 2']);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });
});

describe('DELETE', () => {
  it.each(['left', 'right'] as const)('of the IKE SA by %s ends all at both ends', (side) => {
    const harness = new Harness().connect();
    harness[side].close(harness.now, harness.ikeId(side));
    harness.drain();
    expect(harness.tables[side].children.size).toBe(0);
    expect(harness.last(side, 'ike-down').failure.reason).toBe('closed from this side');
    harness.deliverAll();
    const other = side === 'left' ? 'right' : 'left';
    expect(harness.last(other, 'ike-down').failure.reason).toBe('the peer closed the IKE SA');
    harness.run(60_000);
    expect(harness.left.views().length + harness.right.views().length).toBe(0);
  });

  it('from both sides at once is answered by both', () => {
    const harness = new Harness().connect();
    harness.left.close(harness.now, harness.ikeId('left'));
    harness.right.close(harness.now, harness.ikeId('right'));
    harness.deliverAll();
    expect(harness.left.idle && harness.right.idle).toBe(true);
    expect(harness.all('left', 'ike-down').length + harness.all('right', 'ike-down').length).toBe(2);
  });

  it('that gets no answer is retransmitted, and then all is forgotten', () => {
    const harness = new Harness().connect();
    harness.faults = { loss: 1 };
    harness.left.close(harness.now, harness.ikeId('left'));
    harness.run(100_000);
    expect(harness.left.views()).toEqual([]);
  });

  it('during IKE_AUTH is sent when the answer is there', () => {
    const harness = new Harness();
    const ikeId = harness.initiate();
    harness.pass('left');
    harness.pass('right');
    harness.left.close(harness.now, ikeId);
    harness.deliverAll();
    harness.run(60_000);
    expect(harness.live('right')).toEqual([]);
    expect(harness.tables.left.children.size + harness.tables.right.children.size).toBe(0);
    expect(harness.all('left', 'ike-up')).toEqual([]);
  });
});

describe('Quick Crash Detection (RFC 6290)', () => {
  it('notices a reboot with the first message after it', () => {
    const harness = new Harness({ ...SECRETS, left: { dpdSeconds: 10 } }).connect();
    harness.reboot('right');
    harness.left.pathError(harness.now, MOVED_PATH.remote, 'ECONNREFUSED');
    harness.deliverAll();
    expect(harness.last('left', 'ike-down').failure.reason).toBe(
      'the peer proved that it was restarted and has lost the SA',
    );
    expect(harness.left.views()).toEqual([]);
  });

  it('notices a reboot by the ESP that the peer cannot decrypt any more', () => {
    const harness = new Harness({ ...SECRETS, left: { dpdSeconds: 60 } }).connect();
    const spi = harness.child('left').outboundSpi;
    harness.reboot('right');
    harness.right.unknownSpi(harness.now, spi, REVERSED);
    harness.deliverAll();
    expect(harness.last('left', 'ike-down').failure.step).toBe('liveness');
  });

  it('works for the responder as well, and after a rekey by either', () => {
    for (const side of ['left', 'right'] as const) {
      for (const rebooted of ['left', 'right'] as const) {
        const harness = new Harness(SECRETS).connect();
        harness[side].rekeyIke(harness.now, harness.ikeId(side));
        harness.deliverAll();
        harness.reboot(rebooted);
        const other = rebooted === 'left' ? 'right' : 'left';
        harness[other].rekeyIke(harness.now, harness.ikeId(other));
        harness.deliverAll();
        expect(harness.last(other, 'ike-down').failure.reason).toContain('restarted');
      }
    }
  });

  it('is not fooled by another token', () => {
    const harness = new Harness(SECRETS).connect();
    const [view] = harness.live('left');
    const header = {
      spiI: view?.spiI ?? new Uint8Array(8),
      spiR: view?.spiR ?? new Uint8Array(8),
      exchange: 37,
      fromInitiator: false,
      response: true,
      messageId: 2,
    };
    const wrong = qcdToken(new Uint8Array(32).fill(3), header.spiI, header.spiR);
    const forged = encodeUnprotected(header, [notify('INVALID_IKE_SPI'), notify('QCD_TOKEN', wrong)]);
    harness.left.receive(harness.now, forged, PATH);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    const right = qcdToken(new Uint8Array(32).fill(2), header.spiI, header.spiR);
    harness.left.receive(harness.now, encodeUnprotected(header, [notify('QCD_TOKEN', right)]), PATH);
    harness.drain();
    expect(harness.left.views()).toEqual([]);
  });

  it('never shows the token of an SA that lives, whichever way round its SPIs are given', () => {
    const harness = new Harness(SECRETS).connect();
    harness.left.rekeyChild(harness.now, harness.child('left').id);
    harness.drain();
    const { datagram } = harness.take('left');
    const { spiI, spiR } = decodeHeader(datagram);
    for (const flags of [0x00, 0x08]) {
      for (const swapped of [false, true]) {
        for (const half of [false, true]) {
          const forged = datagram.slice();
          forged[19] = flags;
          forged[40] = (forged[40] ?? 0) ^ 1;
          if (swapped) {
            forged.set(spiR, 0);
            forged.set(spiI, 8);
          }
          if (half) forged.fill(7, 0, 8);
          harness.right.receive(harness.now, forged, REVERSED);
          harness.drain();
        }
      }
    }
    const token = Buffer.from(qcdToken(SECRETS.rightOptions.qcdSecret, spiI, spiR));
    const shown = harness.flying.filter((one) => Buffer.from(one.datagram).includes(token));
    expect(shown).toEqual([]);
    const answered = harness.flying.map((one) => Buffer.from(one.datagram.subarray(0, 8)).toString('hex'));
    expect(new Set(answered)).toEqual(new Set(['0707070707070707']));
  });
});

describe('lifetimes', () => {
  const SHORT = { childLifetime: 100, ikeLifetime: 300 };

  it('replace children and IKE SAs before their end, at instants that differ, for a day without a packet lost', () => {
    const harness = new Harness({ left: SHORT, right: SHORT }).connect();
    let lost = 0;
    harness.run(86_400_000, () => {
      lost += harness.traffic().length;
    });
    expect(lost).toBe(0);
    expect(problems(harness)).toEqual([]);
    expect(harness.all('left', 'child-up').length).toBeGreaterThan(900);
    expect(harness.all('left', 'ike-up').length).toBeGreaterThan(300);
    const failures = harness.all('left', 'ike-down').filter(({ failure }) => failure.step !== 'rekey');
    expect(failures).toEqual([]);
    expect(harness.left.views().length).toBeLessThan(4);
  });

  it('may differ at the two ends: the shorter one wins', () => {
    const harness = new Harness({ left: { childLifetime: 100 }, right: { childLifetime: 10_000 } }).connect();
    harness.run(1_000_000);
    expect(harness.all('right', 'child-up').length).toBeGreaterThan(9);
    expect(problems(harness)).toEqual([]);
  });

  it('end what could not be replaced', () => {
    const harness = new Harness({ left: SHORT, right: SHORT }).connect();
    harness.faults = { loss: 1 };
    harness.run(400_000);
    expect(harness.left.views()).toEqual([]);
    expect(harness.tables.left.children.size).toBe(0);
  });
});
