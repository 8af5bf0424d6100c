import { describe, expect, it } from 'vitest';
import type { InterfaceStatus } from '../../../firmware/api/router-control.ts';
import { dslBlocks } from '../../../firmware/cli/dsl-text.ts';
import type { DslStatus } from '../../../firmware/protocol/dsl/dsl-status.ts';
import { dslLineStatus } from '../../../firmware/router/dsl-line-status.ts';
import type { DslInfo } from '../../../firmware/uplink/dsl/dsl-line.ts';

const UP: DslStatus = {
  state: 'showtime',
  stateWords: 'Showtime',
  mode: 'VDSL2 Annex B',
  profile: '17a',
  down: {
    rateKbps: 31_829,
    attainableKbps: 38_904,
    marginDb: 6.5,
    attenuationDb: 21,
    errors: { fec: 900, crc: 3, es: 2 },
  },
  up: { rateKbps: 5_517, attainableKbps: 7_215, marginDb: 7 },
  retrains: 2,
  retrainReason: '4',
  upSeconds: 3600,
};
const HOUR = 3_600_000;
const SYNCS = [
  { upAt: 0, downAt: HOUR, downKbps: 30_000, upKbps: 5_000, reason: 'retrain reason 4' },
  { upAt: 2 * HOUR, downKbps: 31_829, upKbps: 5_517 },
];

function shown(...infos: readonly (Partial<DslInfo> | undefined)[]): readonly string[] {
  const interfaces = infos.map((info, index): InterfaceStatus => {
    const dsl = info && { dsl: dslLineStatus({ source: 'console of the modem on /dev/ttyUSB3', syncs: [], ...info }) };
    return { name: `wan${index}`, device: 'eth0', zone: 'wan', state: 'up', addresses: [], ...dsl };
  });
  return dslBlocks(interfaces, 3 * HOUR + 60_000).map((line) => line.replace(/ +/g, ' ').trim());
}

describe('a DSL line as people see it', () => {
  it('is a block: how it is, its figures in both directions, when it was up and why not longer', () => {
    expect(shown(undefined, { status: UP, seenAt: 3 * HOUR, syncs: SYNCS })).toEqual([
      '',
      'DSL of wan1: up for 1 h 1 min, VDSL2 Annex B 17a, retrained 2 times, the last time for reason 4 ' +
        '(console of the modem on /dev/ttyUSB3)',
      'RATE ATTAINABLE MARGIN ATTENUATION FEC CRC ES SES UAS',
      'down 31.8 Mbit/s 38.9 Mbit/s 6.5 dB 21 dB 900 3 2 - -',
      'up 5.5 Mbit/s 7.2 Mbit/s 7 dB - - - - - -',
      'up since 1970-01-01 02:00:00 UTC, 31.8 Mbit/s down and 5.5 Mbit/s up',
      'was up from 1970-01-01 00:00:00 UTC for 1 h, 30.0 Mbit/s down and 5.0 Mbit/s up: retrain reason 4',
    ]);
  });

  it('that is not up says so in words, and what to do', () => {
    const { down, up } = UP;
    const status: DslStatus = { state: 'idle', stateWords: 'Disabled', down: {}, up: {} };
    expect(shown({ status: { ...status, down, up }, seenAt: 0 })).toEqual([
      '',
      'DSL of wan0: no signal (console of the modem on /dev/ttyUSB3)',
      'the line is not up: no signal (the modem says "Disabled"); ' +
        'check the cable between the modem and the socket of the line; ask the provider if it stays so',
    ]);
  });

  it('that nobody tells of says why, and is not said to be up now', () => {
    const failure = {
      step: 'DSL line',
      reason: 'the modem cannot be asked how its line is',
      remedy: 'check the cable',
    };
    expect(shown({ failure, syncs: SYNCS.slice(1) })).toEqual([
      '',
      'DSL of wan0: not known (console of the modem on /dev/ttyUSB3)',
      'the modem cannot be asked how its line is; check the cable',
      'was up when the modem was last heard, from 1970-01-01 02:00:00 UTC, 31.8 Mbit/s down and 5.5 Mbit/s up',
    ]);
  });

  it('is no line where none is configured', () => {
    expect(shown(undefined)).toEqual([]);
  });
});
