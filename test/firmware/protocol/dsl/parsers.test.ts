import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { parseBroadcom } from '../../../../firmware/protocol/dsl/broadcom.ts';
import { DSL_DIALECTS, parseDslText } from '../../../../firmware/protocol/dsl/chipsets.ts';
import { parseLabelled } from '../../../../firmware/protocol/dsl/labelled.ts';
import { parseLantiq } from '../../../../firmware/protocol/dsl/lantiq.ts';
import {
  BROADCOM_IDLE,
  BROADCOM_TRAINING,
  broadcomShowtime,
  LANTIQ_METRICS,
  LANTIQ_PIPE,
  SFP_STATUS,
} from '../../../../scripts/lab/dsl-texts.ts';

const SHOWTIME = broadcomShowtime({ upHours: 3, retrains: 4, reason: '8000' });
const PIPE = Object.values(LANTIQ_PIPE).join('\n');

describe('xdslctl info --stats', () => {
  it('tells all of a line that is up', () => {
    expect(parseBroadcom(SHOWTIME)).toEqual({
      state: 'showtime',
      stateWords: 'Showtime',
      mode: 'VDSL2 Annex B',
      profile: '17a',
      retrains: 4,
      retrainReason: '8000',
      upSeconds: 3 * 3600 + 7,
      down: {
        rateKbps: 31829,
        attainableKbps: 38904,
        marginDb: 6.4,
        attenuationDb: 24.3,
        powerDbm: 12.7,
        errors: { fec: 90311, crc: 14, es: 12, ses: 1, uas: 41 },
      },
      up: {
        rateKbps: 5517,
        attainableKbps: 7215,
        marginDb: 8.1,
        attenuationDb: 0,
        powerDbm: -5.2,
        errors: { fec: 45, crc: 2, es: 9, ses: 0, uas: 40 },
      },
    });
  });

  it('of a line that trains tells no rates, which are left from before', () => {
    const status = parseBroadcom(BROADCOM_TRAINING);
    expect(status).toMatchObject({ state: 'handshake', stateWords: 'G.994 Training', retrainReason: '2' });
    expect(status?.down).toEqual({ errors: { fec: 90311, crc: 14, es: 12, ses: 1, uas: 71 } });
    expect(status?.upSeconds).toBeUndefined();
  });

  it.each([
    ['Idle', 'idle'],
    ['Disabled', 'idle'],
    ['G.993 Started', 'handshake'],
    ['G.993 Channel Analysis', 'training'],
    ['G.992 Message Exchange', 'training'],
    ['Showtime', 'showtime'],
  ])('knows the state %j', (words, state) => {
    expect(parseBroadcom(`xdslctl: ADSL driver and PHY status\nStatus: ${words}\n`)?.state).toBe(state);
  });

  it('of older releases has a path instead of a bearer', () => {
    const text =
      'Status: Showtime\nRetrain Reason: 0\nPath: 0, Upstream rate = 9113 Kbps, Downstream rate = 39997 Kbps\n';
    expect(parseBroadcom(text)).toMatchObject({
      down: { rateKbps: 39997 },
      up: { rateKbps: 9113 },
      retrainReason: '0',
    });
  });

  it('that was cut off tells what was there', () => {
    const cut = SHOWTIME.slice(0, SHOWTIME.indexOf('SNR (dB)') + 14);
    expect(parseBroadcom(cut)).toMatchObject({ state: 'showtime', down: { rateKbps: 31829 } });
    expect(parseBroadcom(cut)?.down.marginDb).toBeUndefined();
  });

  it('believes no number that cannot be', () => {
    const noisy = SHOWTIME.replace('31829 Kbps', '318299999 Kbps').replace(' 6.4', ' 964.4');
    expect(parseBroadcom(noisy)?.down).not.toHaveProperty('rateKbps');
    expect(parseBroadcom(noisy)?.down).not.toHaveProperty('marginDb');
  });

  it('shows nothing that moves a cursor', () => {
    expect(parseBroadcom('\u001b[2JStatus: \u001b[31mShow\u0007time\u202e\n')?.stateWords).toBe('Showtime\\u{202e}');
  });
});

describe('dsl_cpe_pipe', () => {
  it('tells state, rates, signals and errors, each way', () => {
    expect(parseLantiq(PIPE)).toEqual({
      state: 'showtime',
      stateWords: '0x801, showtime',
      down: {
        rateKbps: 51392,
        attainableKbps: 68012,
        marginDb: 9.2,
        attenuationDb: 17.2,
        powerDbm: 14.2,
        errors: { es: 4, ses: 1, uas: 31 },
      },
      up: {
        rateKbps: 10048,
        attainableKbps: 27816,
        marginDb: 14.5,
        attenuationDb: 8.6,
        powerDbm: -4.6,
        errors: { es: 2, ses: 0, uas: 31 },
      },
    });
  });

  it.each([
    ['0xff', 'idle'],
    ['0x100', 'idle'],
    ['0x200', 'idle'],
    ['0x300', 'handshake'],
    ['0x380', 'training'],
    ['0x500', 'training'],
    ['0x800', 'training'],
    ['0x801', 'showtime'],
    ['0x900', 'training'],
    ['0x1', 'failed'],
    ['0x1000000', 'failed'],
  ])('knows the line state %s', (number, state) => {
    expect(parseLantiq(`nReturn=0 nLineState=${number}`)?.state).toBe(state);
  });

  it('that says no tells nothing', () => {
    expect(parseLantiq('nReturn=-1 nLineState=0x801')).toBeUndefined();
    expect(parseLantiq('nLineState=0x801')).toBeUndefined();
  });
});

describe('ubus call dsl metrics', () => {
  it('tells the same, and more', () => {
    expect(parseLantiq(`ubus call dsl metrics\r\n${LANTIQ_METRICS}root@OpenWrt:~# `)).toEqual({
      state: 'showtime',
      stateWords: 'Showtime with TC-Layer sync',
      mode: 'G.993.2 (VDSL2, Profile 17a)',
      profile: '17a',
      upSeconds: 86423,
      down: {
        rateKbps: 51392,
        attainableKbps: 68012,
        marginDb: 9.2,
        attenuationDb: 17.2,
        powerDbm: 14.2,
        errors: { fec: 812, crc: 7, es: 4, ses: 1, uas: 31 },
      },
      up: {
        rateKbps: 10048,
        attainableKbps: 27816,
        marginDb: 14.5,
        attenuationDb: 8.6,
        powerDbm: -4.6,
        errors: { fec: 90, crc: 3, es: 2, ses: 0, uas: 31 },
      },
    });
  });

  it('that is cut off is no answer', () => {
    expect(parseLantiq(LANTIQ_METRICS.slice(0, 400))).toBeUndefined();
  });

  it('of other types than expected tells what can be read', () => {
    const odd = '{"state":"Handshake","up":"yes","downstream":[],"errors":{"near":{"es":-1,"ses":"many","uas":2}}}';
    expect(parseLantiq(odd)).toEqual({
      state: 'handshake',
      stateWords: 'Handshake',
      down: { errors: { uas: 2 } },
      up: {},
    });
  });
});

describe('a modem that labels its lines', () => {
  it('tells what its labels say', () => {
    expect(parseLabelled(SFP_STATUS)).toEqual({
      state: 'showtime',
      stateWords: 'SHOWTIME',
      mode: 'VDSL2',
      profile: '17a',
      upSeconds: 7200,
      down: { rateKbps: 49998, attainableKbps: 61200, marginDb: 8.5, attenuationDb: 16.1, errors: { crc: 5 } },
      up: { rateKbps: 10000, marginDb: 7.9, powerDbm: -3.5, errors: { es: 3 } },
    });
  });
});

describe('a text of which nothing is known', () => {
  it.each([
    ['Broadcom', SHOWTIME, 31829],
    ['Lantiq', PIPE, 51392],
    ['OpenWrt', LANTIQ_METRICS, 51392],
    ['an SFP module', SFP_STATUS, 49998],
  ])('is read if it is of %s', (_whose, text, rate) => {
    expect(parseDslText(text, 'auto')?.down.rateKbps).toBe(rate);
  });

  it.each(['', '-sh: xdslctl: not found\n# ', 'Link encap:Ethernet  HWaddr 00:11:22:33:44:55\n', '{}', '}{'])(
    'is none of a modem: %j',
    (text) => expect(parseDslText(text, 'auto')).toBeUndefined(),
  );

  it('is read in time whatever it is, and gives nothing that is out of bounds', () => {
    const texts = [SHOWTIME, BROADCOM_IDLE, PIPE, LANTIQ_METRICS, SFP_STATUS];
    const damaged = fc
      .tuple(
        fc.constantFrom(...texts),
        fc.array(fc.tuple(fc.nat(6000), fc.string({ unit: 'binary', maxLength: 8 })), { maxLength: 20 }),
      )
      .map(([text, damages]) =>
        damages.reduce((sum, [at, noise]) => sum.slice(0, at) + noise + sum.slice(at + noise.length), text),
      );
    fc.assert(
      fc.property(fc.oneof(damaged, fc.string({ unit: 'binary', maxLength: 500 })), (text) => {
        for (const { parse } of DSL_DIALECTS) {
          const status = parse(text);
          for (const side of [status?.down, status?.up]) {
            for (const rate of [side?.rateKbps ?? 0, side?.attainableKbps ?? 0]) {
              expect(rate).toBeGreaterThanOrEqual(0);
              expect(rate).toBeLessThanOrEqual(10_000_000);
            }
            expect(Math.abs(side?.marginDb ?? 0)).toBeLessThanOrEqual(128);
          }
          expect(status?.stateWords ?? '').not.toMatch(/[\p{Cc}]/u);
        }
      }),
      { numRuns: 300 },
    );
  });

  it.each([':', ' ', '=', 'a', '1 ', '{"', 'Status:', 'x:\t-1\t-1', '\u001b['])(
    'of a megabyte of %j costs no time',
    (piece) => {
      const text = piece.repeat(1_000_000 / piece.length);
      const start = performance.now();
      parseDslText(text, 'auto');
      parseDslText(text.replaceAll('a', 'a\n'), 'auto');
      expect(performance.now() - start).toBeLessThan(3_000);
    },
  );
});
