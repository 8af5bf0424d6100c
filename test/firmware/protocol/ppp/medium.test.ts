import { describe, expect, it } from 'vitest';
import type { PppLinkOptions } from '../../../../firmware/protocol/ppp/link-types.ts';
import { PPP_LCP } from '../../../../firmware/protocol/ppp/protocol-numbers.ts';
import { option, Solo } from './simulation.ts';

const BARE: PppLinkOptions = { mru: 1492, ipcp: { role: 'client', requestDns: true } };
const ACCM = option(2, 0, 0, 0, 0);
const [PFC, ACFC] = [option(7), option(8)];

const typesOf = (solo: Solo, code: number): number[] => solo.lastOptions(PPP_LCP, code).map(({ type }) => type);

describe('LCP over PPPoE (RFC 2516 section 7)', () => {
  const begin = (): Solo => new Solo({ ...BARE, medium: 'pppoe' }).begin();

  it('asks for no compressed header and no ACCM', () => {
    expect(typesOf(begin(), 1)).toEqual([1, 5]);
  });

  it('rejects ACFC and ACCM of the peer', () => {
    const solo = begin().hearOptions(PPP_LCP, 1, 9, [ACCM, ACFC, option(1, 5, 0xd4)]);
    expect(typesOf(solo, 4)).toEqual([2, 8]);
  });

  it('compresses no protocol field though the peer would take it', () => {
    const solo = begin().hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 9, [PFC]);
    expect(solo.eventsOf('link-up')).toEqual([
      { kind: 'link-up', protocolCompression: false, addressControlCompression: false, mtu: 1492 },
    ]);
  });
});

describe('LCP on a serial line (RFC 1662 section 7.1)', () => {
  const begin = (): Solo => new Solo({ ...BARE, medium: 'serial' }).begin();

  it('asks that nothing be escaped, and for compressed headers', () => {
    const solo = begin();
    expect(typesOf(solo, 1)).toEqual([1, 2, 5, 7, 8]);
    expect(solo.lastOptions(PPP_LCP, 1)).toContainEqual(ACCM);
  });

  it('tells what the peer wants escaped: what it asks for, or everything', () => {
    const asking = begin()
      .hearAck(PPP_LCP)
      .hearOptions(PPP_LCP, 1, 9, [option(2, 0, 0x0a, 0, 0), PFC, ACFC]);
    expect(asking.eventsOf('link-up')).toEqual([
      { kind: 'link-up', protocolCompression: true, addressControlCompression: true, mtu: 1492, peerAccm: 0x000a0000 },
    ]);
    const silent = begin().hearAck(PPP_LCP).hearOptions(PPP_LCP, 1, 9, []);
    expect(silent.eventsOf('link-up')[0]?.peerAccm).toBe(0xffffffff);
  });

  it('asks for what a Nak adds, and for nothing after a Reject', () => {
    const nakked = begin();
    nakked.hearOptions(PPP_LCP, 3, nakked.last(PPP_LCP, 1).identifier, [option(2, 0x80, 0x0a, 0, 0)]);
    expect(nakked.lastOptions(PPP_LCP, 1)).toContainEqual(option(2, 0x80, 0x0a, 0, 0));
    const rejected = begin();
    rejected.hearOptions(PPP_LCP, 4, rejected.last(PPP_LCP, 1).identifier, [ACCM]);
    expect(typesOf(rejected, 1)).toEqual([1, 5, 7, 8]);
  });
});
