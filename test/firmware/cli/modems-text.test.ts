import { describe, expect, it } from 'vitest';
import type { ModemStatus } from '../../../firmware/api/router-control.ts';
import { modemsText } from '../../../firmware/cli/modems-text.ts';

const LTE: ModemStatus = {
  name: 'lte',
  state: 'up',
  uplink: 'mobile',
  where: 'Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2',
  manufacturer: 'Quectel',
  model: 'EC25',
  revision: 'EC25EFAR06A04M4G',
  imei: '490154203237518',
  sim: 'ready',
  iccid: '89490200001234567899',
  operator: 'LabTel',
  technology: 'LTE',
  band: 'LTE BAND 3',
  registration: 'roaming',
  apn: 'internet',
  bars: 4,
  signal: { rssi: -67, rsrp: -95, rsrq: -9.5 },
  online: true,
  data: 'ppp',
  octetsThisMonth: 1_500_000,
  capOctets: 2_000_000_000,
  messages: 2,
  doing: '',
};

describe('show modems', () => {
  it('says that there are none', () => {
    expect(modemsText([])).toEqual(['no modems are configured']);
  });

  it('tells the whole story of one', () => {
    expect(modemsText([LTE]).join('\n')).toBe(
      [
        'lte: up, for the uplink mobile',
        '  found     Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2',
        '  modem     Quectel EC25 EC25EFAR06A04M4G',
        '  IMEI      490154203237518',
        '  SIM       ready, ICCID 89490200001234567899',
        '  network   LabTel, LTE, LTE BAND 3, registered, roaming',
        '  signal    4 of 5 bars, RSSI -67 dBm, RSRP -95 dBm, RSRQ -9.5 dB',
        '  APN       internet',
        '  data      connected, by PPP on its serial line; 1.5 MB of 2.0 GB this month',
        '  messages  2',
      ].join('\n'),
    );
  });

  it('says what is in the way and what to do, and nothing that is not known', () => {
    const locked: ModemStatus = {
      ...LTE,
      state: 'failed',
      reason: 'SIM: it wants a PIN',
      remedy: 'write it down as modems.lte.pin',
      sim: 'PIN wanted',
      iccid: '',
      operator: '',
      technology: '',
      band: '',
      registration: 'unknown',
      apn: '',
      signal: {},
      online: false,
      messages: 0,
      doing: 'waiting for a PIN',
    };
    const lines = modemsText([
      locked,
      { ...locked, name: 'spare', state: 'down', uplink: '', doing: 'no uplink uses it' },
    ]);
    expect(lines.slice(0, 3)).toEqual([
      'lte: failed, for the uplink mobile (waiting for a PIN)',
      '  SIM: it wants a PIN',
      '  write it down as modems.lte.pin',
    ]);
    expect(lines.find((line) => line.startsWith('  SIM '))).toMatch(/ PIN wanted \(modems\.lte\.pin\)$/);
    expect(lines.join('\n')).not.toMatch(/signal|network|ICCID|undefined/);
    expect(lines.slice(-4, -2)).toContain('');
    expect(lines.join('\n')).toContain('spare: down (no uplink uses it)');
  });
});
