import { describe, expect, it } from 'vitest';
import { findNotify, notify } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { NOTIFY } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import { findAll, type Payload } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import type { IkeV2Options } from '../../../../../firmware/protocol/ike/v2/settings.ts';
import type { UdpEndpoint } from '../../../../../firmware/protocol/udp-path.ts';
import { Harness, type HarnessOptions, LEFT_ADDRESS, problems, RIGHT_ADDRESS } from './harness.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const ELSEWHERE = '203.0.113.77';
const NAT = '198.51.100.7';
const behindNat = (end: UdpEndpoint): UdpEndpoint => ({ address: NAT, port: end.port + 30_000 });

function move(harness: Harness, local = ELSEWHERE): boolean {
  const goesOn = harness.left.addressChanged(harness.now, harness.ikeId('left'), local);
  harness.drain();
  return goesOn;
}

function connected(options: HarnessOptions = {}): Harness {
  return new Harness(options).connect();
}

describe('the side that opened the IKE SA has another address (MOBIKE)', () => {
  it('goes on from there at once, and the peer sends ESP there once it has proved to be there', () => {
    const harness = connected();
    expect(move(harness)).toBe(true);
    expect(harness.last('left', 'path').path.local).toEqual({ address: ELSEWHERE, port: 4500 });
    harness.pass('left', 'INFORMATIONAL request');
    expect(harness.all('right', 'path')).toEqual([]);
    harness.pass('right', 'INFORMATIONAL request 0');
    harness.pass('left', 'INFORMATIONAL response 0');
    expect(harness.last('right', 'path').path.remote).toEqual({ address: ELSEWHERE, port: 4500 });
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.live('right')[0]?.children[0]?.sa.path.remote.address).toBe(ELSEWHERE);
  });

  it.each(['left', 'right'] as const)('still does after %s has rekeyed the IKE SA', (side) => {
    const harness = connected();
    harness[side].rekeyIke(harness.now, harness.ikeId(side));
    harness.deliverAll();
    expect(move(harness)).toBe(true);
    harness.deliverAll();
    expect(harness.last('right', 'path').path.remote.address).toBe(ELSEWHERE);
    for (const each of ['left', 'right'] as const) harness[each].rekeyChild(harness.now, harness.child(each).id);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
  });

  it('sends again from there what was under way, be it the rekey of the SA itself', () => {
    const harness = connected();
    harness.left.rekeyIke(harness.now, harness.ikeId('left'));
    harness.drain();
    harness.take('left', 'CREATE_CHILD_SA');
    move(harness);
    expect(harness.flying.map(({ path }) => path.local.address)).toEqual([ELSEWHERE]);
    harness.deliverAll();
    expect(problems(harness)).toEqual([]);
    expect(harness.live('right')[0]?.path.remote.address).toBe(ELSEWHERE);
    expect(harness.last('right', 'path').path.remote.address).toBe(ELSEWHERE);
  });

  it('moves on while the first move is still being told, and the last address counts', () => {
    const harness = connected();
    move(harness);
    harness.pass('left');
    move(harness, '203.0.113.78');
    harness.deliverAll();
    harness.run(3000);
    expect(problems(harness)).toEqual([]);
    for (const side of ['left', 'right'] as const) {
      const { local, remote } = harness.last(side, 'path').path;
      expect([local.address, remote.address].toSorted()).toEqual([RIGHT_ADDRESS, '203.0.113.78'].toSorted());
    }
  });

  it('moves back before the peer has looked', () => {
    const harness = connected();
    move(harness);
    harness.pass('left');
    move(harness, LEFT_ADDRESS);
    harness.deliverAll();
    harness.run(3000);
    expect(problems(harness)).toEqual([]);
    expect(harness.live('right')[0]?.path.remote.address).toBe(LEFT_ADDRESS);
    expect(harness.live('right')[0]?.children[0]?.sa.path.remote.address).toBe(LEFT_ADDRESS);
  });

  it('wraps ESP in UDP when a NAT is found on the new path, and no longer when there is none', () => {
    const harness = connected();
    expect(harness.child('left').udpEncapsulation).toBe(false);
    harness.translate = behindNat;
    move(harness, '192.168.1.9');
    harness.deliverAll();
    expect(harness.last('left', 'path').peer).toMatchObject({ natLocal: true, encapsulation: 'nat' });
    expect(harness.last('right', 'path')).toMatchObject({
      path: { remote: { address: NAT, port: 34_500 } },
      peer: { natRemote: true, encapsulation: 'nat' },
    });
    expect(harness.live('left')[0]?.children[0]?.sa.udpEncapsulation).toBe(true);
    harness.translate = (end) => end;
    move(harness);
    harness.deliverAll();
    for (const side of ['left', 'right'] as const) {
      expect(harness.last(side, 'path').peer?.encapsulation).toBeUndefined();
      expect(harness.live(side)[0]?.children[0]?.sa.udpEncapsulation).toBe(false);
    }
    expect(problems(harness)).toEqual([]);
  });

  it('says so when a NAT before it has forgotten its mapping, which liveness brings to light', () => {
    const harness = connected({ translate: behindNat, left: { dpdSeconds: 10 } });
    harness.run(30_000);
    const before = harness.all('right', 'path').length;
    harness.translate = (end) => ({ address: NAT, port: end.port + 40_000 });
    harness.run(15_000);
    expect(harness.all('right', 'path').length).toBeGreaterThan(before);
    expect(harness.last('right', 'path').path.remote).toEqual({ address: NAT, port: 44_500 });
    expect(problems(harness)).toEqual([]);
  });

  it('survives a network that loses a third and doubles, whatever is rekeyed meanwhile', () => {
    for (let seed = 1; seed <= 60; seed += 1) {
      const harness = connected({ seed, leftOptions: PATIENT, rightOptions: PATIENT });
      harness.faults = { loss: 0.3, duplicate: 0.2, jitterMs: 300 };
      for (let round = 0; round < 4; round += 1) {
        const side = round % 2 === 0 ? 'left' : 'right';
        const { ikeId } = harness.live(side)[0] ?? { ikeId: 0 };
        if ((seed + round) % 3 === 0) harness[side].rekeyIke(harness.now, ikeId);
        const [child] = harness.tables[side].children.keys();
        if ((seed + round) % 4 === 0 && child !== undefined) harness[side].rekeyChild(harness.now, child);
        harness.run(seed * 7);
        for (const { ikeId: id } of harness.live('left')) {
          harness.left.addressChanged(harness.now, id, `203.0.113.${seed + round}`);
        }
        harness.run(20_000);
      }
      harness.faults = {};
      harness.run(120_000);
      expect(problems(harness), `seed ${seed}`).toEqual([]);
      expect(harness.live('right')[0]?.path.remote.address, `seed ${seed}`).toBe(`203.0.113.${seed + 3}`);
    }
  });
});

/** As the right side sees what comes from there. */
const ELSEWHERE_PATH = {
  local: { address: RIGHT_ADDRESS, port: 4500 },
  remote: { address: ELSEWHERE, port: 4500 },
};

/** A caller that has asked for MOBIKE and got it. */
function mobilePeer(options: Partial<IkeV2Options> = {}): ScriptedPeer {
  const peer = new ScriptedPeer({}, options);
  peer.init();
  const answer = peer.ask('IKE_AUTH', [...peer.authPayloads(), notify('MOBIKE_SUPPORTED')]) ?? [];
  expect(findNotify(answer, 'MOBIKE_SUPPORTED')).toBeDefined();
  return peer;
}

const PATIENT = { limits: { retransmitTries: 12 } };

describe('no MOBIKE', () => {
  it('in transport mode, and for a side that was called: it has to be made anew', () => {
    const transport = { mode: 'transport', transportPorts: { protocol: 17, local: 1701, remote: 1701 } } as const;
    expect(move(connected({ left: transport, right: transport }))).toBe(false);
    const harness = connected();
    expect(harness.right.addressChanged(harness.now, harness.ikeId('right'), ELSEWHERE)).toBe(false);
  });
});

describe('a peer that moves and is not to be believed', () => {
  const names = (payloads: readonly Payload[] = []) => findAll(payloads, 'N').map(({ type }) => type);

  it('that shows no COOKIE2, or another one, loses the IKE SA', () => {
    for (const wrong of [[], [notify('COOKIE2', new Uint8Array(16))]]) {
      const peer = mobilePeer();
      peer.ask('INFORMATIONAL', [notify('UPDATE_SA_ADDRESSES')], ELSEWHERE_PATH);
      peer.reply('INFORMATIONAL', 0, wrong);
      expect(peer.failures.join()).toContain('could not prove that it receives there');
      expect(peer.table.children.size).toBe(0);
    }
  });

  it('gets every COOKIE2 of its own back, and what is too long for one not', () => {
    const peer = mobilePeer();
    const cookie = Uint8Array.from({ length: 64 }, (_, index) => index);
    expect(peer.ask('INFORMATIONAL', [notify('COOKIE2', cookie)])).toEqual([notify('COOKIE2', cookie)]);
    expect(peer.ask('INFORMATIONAL', [notify('COOKIE2', new Uint8Array(65))])).toEqual([]);
    expect(peer.ask('INFORMATIONAL', [notify('COOKIE2', new Uint8Array(7))])).toEqual([]);
  });

  it('is told when somebody changed an address that must not be', () => {
    const peer = mobilePeer();
    const answer = peer.ask(
      'INFORMATIONAL',
      [notify('UPDATE_SA_ADDRESSES'), notify('NO_NATS_ALLOWED', new Uint8Array(12))],
      ELSEWHERE_PATH,
    );
    expect(names(answer)).toEqual([NOTIFY.UNEXPECTED_NAT_DETECTED]);
    expect(peer.table.children.size).toBe(1);
  });

  it('is refused where its new address has IKE SAs enough', () => {
    const peer = mobilePeer({ limits: { ikeSasPerAddress: 1 } });
    expect(names(peer.ask('INFORMATIONAL', [notify('UPDATE_SA_ADDRESSES')], ELSEWHERE_PATH))).toEqual([]);
    const crowded = mobilePeer({ limits: { ikeSasPerAddress: 1 } });
    crowded.neighbour(ELSEWHERE_PATH);
    const answer = crowded.ask('INFORMATIONAL', [notify('UPDATE_SA_ADDRESSES')], ELSEWHERE_PATH);
    expect(names(answer)).toEqual([NOTIFY.UNACCEPTABLE_ADDRESSES]);
    expect(crowded.table.children.size).toBe(1);
  });

  it('may list other addresses, which change nothing', () => {
    const peer = mobilePeer();
    const more = [
      notify('ADDITIONAL_IP4_ADDRESS', Uint8Array.of(192, 0, 2, 99)),
      notify('ADDITIONAL_IP6_ADDRESS', new Uint8Array(3)),
      notify('NO_ADDITIONAL_ADDRESSES'),
    ];
    expect(peer.ask('INFORMATIONAL', more, ELSEWHERE_PATH)).toEqual([]);
    expect(peer.moves).toBe(0);
  });
});
