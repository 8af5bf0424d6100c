import { describe, expect, it } from 'vitest';
import { spiOctets } from '../../../../../firmware/protocol/ike/v2/child.ts';
import { notify, notifyChild } from '../../../../../firmware/protocol/ike/v2/notify.ts';
import { NOTIFY, PROTOCOL } from '../../../../../firmware/protocol/ike/v2/numbers.ts';
import type { Payload } from '../../../../../firmware/protocol/ike/v2/payload.ts';
import { ScriptedPeer } from './scripted-peer.ts';

const UNKNOWN_CRITICAL = Uint8Array.of(0, 0x80, 0, 5, 1);

/** Names of the errors in an answer. */
function errors(payloads: readonly Payload[] | undefined): readonly number[] {
  return (payloads ?? []).flatMap((payload) => (payload.kind === 'N' && payload.type < 16_384 ? [payload.type] : []));
}

describe('a request with an unknown payload marked critical', () => {
  it('is refused as a whole with the type of that payload, and the SA lives', () => {
    const peer = new ScriptedPeer().connect();
    expect(peer.table.children.size).toBe(1);
    const answer = peer.raw('INFORMATIONAL', 200, UNKNOWN_CRITICAL);
    expect(answer).toMatchObject([{ kind: 'N', type: NOTIFY.UNSUPPORTED_CRITICAL_PAYLOAD, data: Uint8Array.of(200) }]);
    expect(peer.ask('INFORMATIONAL', [])).toEqual([]);
  });
});

describe('a request that verifies but is malformed', () => {
  it('is answered with INVALID_SYNTAX and ends the SA', () => {
    const peer = new ScriptedPeer().connect();
    expect(errors(peer.raw('INFORMATIONAL', 41, Uint8Array.of(0, 0, 0, 99)))).toEqual([NOTIFY.INVALID_SYNTAX]);
    expect(peer.failures).toEqual(['the peer sent a malformed request']);
    expect(peer.table.children.size).toBe(0);
  });

  it('is answered with INVALID_SYNTAX in IKE_AUTH too, and nothing comes up', () => {
    const peer = new ScriptedPeer();
    peer.init();
    expect(errors(peer.raw('IKE_AUTH', 35, Uint8Array.of(0, 0, 0, 3)))).toEqual([NOTIFY.INVALID_SYNTAX]);
    expect(peer.table.children.size).toBe(0);
  });
});

describe('IKE_AUTH', () => {
  it('without AUTH asks for EAP, which is not to be had', () => {
    const peer = new ScriptedPeer();
    peer.init();
    const withoutAuth = peer.authPayloads().filter(({ kind }) => kind !== 'AUTH');
    expect(errors(peer.ask('IKE_AUTH', withoutAuth))).toEqual([NOTIFY.AUTHENTICATION_FAILED]);
    expect(peer.failures[0]).toContain('EAP');
  });

  it('is not accepted under a method that is not a shared key, or an AUTH of another length', () => {
    for (const change of [{ method: 1 }, { data: new Uint8Array(31) }, { data: new Uint8Array(0) }]) {
      const peer = new ScriptedPeer();
      peer.init();
      const payloads = peer
        .authPayloads()
        .map((payload) => (payload.kind === 'AUTH' ? { ...payload, ...change } : payload));
      expect(errors(peer.ask('IKE_AUTH', payloads))).toEqual([NOTIFY.AUTHENTICATION_FAILED]);
      expect(peer.table.children.size).toBe(0);
    }
  });

  it('is the only thing that a half-open SA takes', () => {
    const peer = new ScriptedPeer();
    peer.init();
    expect(peer.ask('INFORMATIONAL', [])).toBeUndefined();
    expect(peer.ask('CREATE_CHILD_SA', peer.authPayloads())).toBeUndefined();
    expect(peer.right.views()[0]?.state).toBe('half-open');
  });

  it('comes once', () => {
    const peer = new ScriptedPeer().connect();
    expect(peer.ask('IKE_AUTH', peer.authPayloads())).toBeUndefined();
    expect(peer.table.children.size).toBe(1);
  });
});

describe('a DELETE of the IKE SA with more in the same message', () => {
  it('ends it, and the rest touches nothing (CVE-2023-38712)', () => {
    const peer = new ScriptedPeer().connect();
    const answer = peer.ask('INFORMATIONAL', [
      { kind: 'D', protocol: 1, spis: [] },
      { kind: 'D', protocol: 3, spis: [spiOctets(0x1000)] },
      notify('AUTHENTICATION_FAILED'),
    ]);
    expect(answer).toEqual([]);
    expect(peer.failures).toEqual(['the peer closed the IKE SA']);
    expect(peer.table.children.size).toBe(0);
    expect(errors(peer.ask('CREATE_CHILD_SA', peer.authPayloads()))).toEqual([NOTIFY.TEMPORARY_FAILURE]);
  });
});

describe('children', () => {
  it('that nobody knows are not deleted, and the answer says so', () => {
    const peer = new ScriptedPeer().connect();
    expect(peer.ask('INFORMATIONAL', [{ kind: 'D', protocol: 3, spis: [spiOctets(0x2222)] }])).toEqual([]);
    expect(peer.table.children.size).toBe(1);
  });

  it('that are deleted are named in the answer by our SPI', () => {
    const peer = new ScriptedPeer().connect();
    const [child] = [...peer.table.children.values()];
    expect(peer.ask('INFORMATIONAL', [{ kind: 'D', protocol: 3, spis: [spiOctets(0x1000)] }])).toEqual([
      { kind: 'D', protocol: 3, spis: [spiOctets(child?.inboundSpi ?? 0)] },
    ]);
  });

  it('may be added, and the limit holds', () => {
    const peer = new ScriptedPeer().connect();
    const more: Payload[] = [
      ...peer.authPayloads().filter(({ kind }) => kind !== 'IDi' && kind !== 'AUTH'),
      { kind: 'Nonce', data: peer.random.bytes(32) },
    ];
    for (let count = 0; count < 31; count += 1) expect(errors(peer.ask('CREATE_CHILD_SA', more))).toEqual([]);
    expect(errors(peer.ask('CREATE_CHILD_SA', more))).toEqual([NOTIFY.NO_ADDITIONAL_SAS]);
    expect(peer.table.children.size).toBe(32);
  });

  it('that nobody knows cannot be rekeyed: CHILD_SA_NOT_FOUND with the SPI that was asked for', () => {
    const peer = new ScriptedPeer().connect();
    const rekey = notifyChild('REKEY_SA', spiOctets(0x2222), PROTOCOL.esp);
    expect(peer.ask('CREATE_CHILD_SA', [rekey, ...peer.authPayloads()])).toMatchObject([
      { kind: 'N', type: NOTIFY.CHILD_SA_NOT_FOUND, protocol: 3, spi: spiOctets(0x2222) },
    ]);
  });
});

describe('a childless IKE SA', () => {
  it('is closed after a while, and the reason is the one for which it has no child', () => {
    const peer = new ScriptedPeer();
    peer.init();
    const payloads = peer
      .authPayloads()
      .map((payload) => (payload.kind === 'TSr' ? { ...payload, selectors: [] } : payload));
    expect(errors(peer.ask('IKE_AUTH', payloads))).toEqual([NOTIFY.TS_UNACCEPTABLE]);
    expect(peer.failures).toEqual([]);
    peer.right.tick(25_000);
    const outputs = [];
    for (let output = peer.right.poll(); output !== undefined; output = peer.right.poll()) outputs.push(output);
    expect(outputs).toMatchObject([{ kind: 'ike-down', failure: { step: 'traffic selectors' } }, {}, {}]);
  });
});
