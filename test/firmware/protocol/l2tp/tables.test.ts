import { describe, expect, it } from 'vitest';
import { AVPS, type AvpKey, avpDefinition, findAvp } from '../../../../firmware/protocol/l2tp/avp-table.ts';
import { findMessage, MESSAGES, type MessageName } from '../../../../firmware/protocol/l2tp/message-table.ts';

const keys = Object.keys(AVPS) as AvpKey[];
const names = Object.keys(MESSAGES) as MessageName[];

describe('the table of AVPs', () => {
  it('has every attribute type of RFC 2661, 0 to 39 without 20, and those of its extensions', () => {
    const typesOf = (vendor: number) =>
      keys
        .map((key) => avpDefinition(key))
        .filter((row) => row.vendor === vendor)
        .map(({ type }) => type)
        .sort((a, b) => a - b);
    const extensions = [40, 41, 42, 43, 44, 45, 46, 47, 48, 97, 98];
    expect(typesOf(0)).toEqual([...Array(40).keys(), ...extensions].filter((type) => type !== 20));
    const rates = Array.from({ length: 14 }, (_, index) => 129 + index);
    expect(typesOf(3561)).toEqual([1, 2, ...rates, 144, 145, 254]);
  });

  it('finds an AVP by vendor and type, never by type alone', () => {
    expect(findAvp(0, 2)).toBe('protocolVersion');
    expect(findAvp(3561, 2)).toBe('agentRemoteId');
    expect(findAvp(9, 2)).toBeUndefined();
    expect(findAvp(1, 0)).toBeUndefined();
  });

  it('has the M bits of the RFC', () => {
    const own = keys.filter((key) => !avpDefinition(key).section.startsWith('RFC'));
    const optional = own.filter((key) => !avpDefinition(key).mandatory).map((key) => avpDefinition(key).type);
    for (const key of keys) if (!own.includes(key)) expect(avpDefinition(key).mandatory).toBe(false);
    expect(optional.sort((a, b) => a - b)).toEqual([5, 6, 8, 25, 26, 27, 28, 29, 30, 31, 32, 33, 37, 38]);
  });

  it('hides only what the RFC lets be hidden', () => {
    const open = keys.filter((key) => !avpDefinition(key).hideable).map((key) => avpDefinition(key).type);
    expect(open.sort((a, b) => a - b)).toEqual([0, 1, 2, 5, 7, 10, 12, 36, 39]);
    for (const key of keys) if (avpDefinition(key).sensitive) expect(avpDefinition(key).hideable).toBe(true);
  });

  it('agrees with the table of messages', () => {
    for (const key of keys) {
      const { messages } = avpDefinition(key);
      if (messages === 'all') continue;
      const holders = names.filter((name) => {
        const all: readonly AvpKey[] = [...MESSAGES[name].required, ...MESSAGES[name].optional];
        return all.includes(key);
      });
      expect([key, [...messages].sort()]).toEqual([key, holders.sort()]);
    }
  });
});

describe('the table of control messages', () => {
  it('numbers them as section 3.2 does', () => {
    const numbers = Object.fromEntries(names.map((name) => [name, MESSAGES[name].type]));
    expect(numbers).toEqual({
      SCCRQ: 1,
      SCCRP: 2,
      SCCCN: 3,
      StopCCN: 4,
      HELLO: 6,
      OCRQ: 7,
      OCRP: 8,
      OCCN: 9,
      ICRQ: 10,
      ICRP: 11,
      ICCN: 12,
      CDN: 14,
      WEN: 15,
      SLI: 16,
      CSUN: 28,
      CSURQ: 29,
    });
    for (const name of names) expect(findMessage(MESSAGES[name].type)).toBe(name);
    expect(findMessage(5)).toBeUndefined();
  });
});
