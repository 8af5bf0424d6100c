import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { packSeptets, septetsOf, textOfSeptets, unpackSeptets } from '../../../../firmware/protocol/at/sms/gsm7.ts';
import { SmsInbox } from '../../../../firmware/protocol/at/sms/inbox.ts';
import { parseDeliver, submitPdus } from '../../../../firmware/protocol/at/sms/pdu.ts';
import { DecodeError } from '../../../../firmware/protocol/bytes.ts';

/** A message as a modem would have received it, of one that we would send. */
function delivered(hex: string): string {
  // Centre left out, first octet, reference, address of 11 digits (8 octets with length and type), protocol identifier and coding.
  const submit = Buffer.from(hex, 'hex');
  const header = (submit[1] ?? 0) & 0x40;
  const address = submit.subarray(3, 3 + 2 + Math.ceil((submit[3] ?? 0) / 2));
  const rest = submit.subarray(3 + address.length);
  return Buffer.concat([
    Buffer.from([0, header]),
    address,
    rest.subarray(0, 2),
    Buffer.from('62302101436540', 'hex'),
    rest.subarray(2),
  ]).toString('hex');
}

describe('septets', () => {
  it('pack hellohello as every text book has it', () => {
    expect(Buffer.from(packSeptets(septetsOf('hellohello') ?? [])).toString('hex')).toBe('e8329bfd4697d9ec37');
  });

  it('have each of the 128 places of the alphabet once', () => {
    const all = textOfSeptets(Array.from({ length: 128 }, (_, septet) => septet).filter((septet) => septet !== 0x1b));
    expect(new Set(all).size).toBe(127);
    expect(septetsOf('@')).toEqual([0]);
    expect(septetsOf('à')).toEqual([127]);
    expect(septetsOf('[€]')).toEqual([27, 60, 27, 101, 27, 62]);
    expect(septetsOf('č')).toBeUndefined();
  });

  it('come back, whatever stands before them', () => {
    const septets = fc.array(fc.nat(127), { maxLength: 160 });
    fc.assert(
      fc.property(septets, fc.nat(6), (all, fill) => {
        expect(unpackSeptets(packSeptets(all, fill), all.length, fill)).toEqual(all);
      }),
    );
  });
});

describe('a message that came', () => {
  it('is read as a modem gives it', () => {
    // From +31641600986 by the centre +31624000000: "How are you?"
    expect(parseDeliver('07911326040000F0040B911346610089F60000208062917314800CC8F71D14969741F977FD07')).toEqual({
      sender: '+31641600986',
      at: '2002-08-26T19:37:41+02:00',
      text: 'How are you?',
    });
  });

  it('may have a name for a sender, and UCS2', () => {
    // "Culvert" in septets is 7 octets: 14 semi-octets.
    const sender = Buffer.from(packSeptets(septetsOf('Culvert') ?? [])).toString('hex');
    const text = '017e006c007500e4';
    expect(parseDeliver(`00000DD0${sender}0008622011 01436500 08${text}`.replaceAll(' ', ''))).toEqual({
      sender: 'Culvert',
      at: '2026-02-11T10:34:56+00:00',
      text: 'žluä',
    });
  });

  it('never makes the reader throw anything but a DecodeError', () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 180 }), (octets) => {
        try {
          parseDeliver(Buffer.from(octets).toString('hex'));
        } catch (error) {
          expect(error).toBeInstanceOf(DecodeError);
        }
      }),
    );
  });
});

describe('a message that is sent', () => {
  it('is coded as text books have it', () => {
    expect(submitPdus('+46708251358', 'hellohello', 0)).toEqual([
      { length: 22, hex: '0001000B916407281553F800000AE8329BFD4697D9EC37' },
    ]);
  });

  it('arrives, however long, in one alphabet or the other', () => {
    const alphabet = fc.constantFrom(...'abc DEF@_{}€[]', 'ü', 'ž', '😀');
    const text = fc.array(alphabet, { minLength: 1, maxLength: 500 }).map((all) => all.join(''));
    fc.assert(
      fc.property(text, fc.nat(255), (sent, reference) => {
        const inbox = new SmsInbox(5);
        for (const { hex, length } of submitPdus('+49151123456', sent, reference).toReversed()) {
          expect(hex.length / 2 - 1).toBe(length);
          inbox.add(parseDeliver(delivered(hex)));
        }
        expect(inbox.list()).toEqual([
          { sender: '+49151123456', at: '2026-03-12T10:34:56+01:00', text: sent, missing: 0 },
        ]);
      }),
    );
  });

  it('is refused in words when it cannot be one', () => {
    expect(() => submitPdus('12a', 'x', 0)).toThrow('no telephone number');
    expect(() => submitPdus('12', '', 0)).toThrow('empty');
    expect(() => submitPdus('12', 'x'.repeat(1531), 0)).toThrow('11 parts, and at most 10');
    expect(submitPdus('12', 'x'.repeat(1530), 0)).toHaveLength(10);
  });
});

describe('the inbox', () => {
  it('keeps the latest ones, each once, and shows what is missing of a long one', () => {
    const inbox = new SmsInbox(2);
    const sms = (text: string, at: string) => ({ sender: '1', at, text });
    inbox.add(sms('a', '1'));
    inbox.add(sms('b', '2'));
    inbox.add(sms('b', '2'));
    inbox.add({ ...sms('second', '3'), part: { reference: 7, of: 2, number: 2 } });
    expect(inbox.list()).toEqual([
      { sender: '1', at: '2', text: 'b', missing: 0 },
      { sender: '1', at: '3', text: '[...]second', missing: 1 },
    ]);
  });
});
