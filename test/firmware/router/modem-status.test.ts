import { describe, expect, it } from 'vitest';
import type { ModemConfiguration } from '../../../firmware/config/modems-schema.ts';
import { modemStatus } from '../../../firmware/router/modem-status.ts';
import type { ModemStatus } from '../../../firmware/uplink/modem/cellular-modem.ts';

const CONFIGURED: ModemConfiguration = { baud: 115200, roaming: false, data: 'auto', pin: '4711' };

const LTE: ModemStatus = {
  name: 'lte',
  where: '/dev/ttyS1',
  data: 'ppp',
  octetsThisMonth: 7,
  capOctets: undefined,
  manufacturer: 'LabTel',
  model: 'M1',
  revision: '1',
  imei: '490154203237518',
  sim: 'ready',
  iccid: '8949',
  operator: 'LabTel',
  technology: 'LTE',
  band: '',
  registration: 'home',
  apn: 'internet',
  signal: { rssi: -70 },
  bars: 4,
  messages: [{ sender: '+49', at: '', text: 'your balance is low', missing: 0 }],
  online: true,
  doing: '',
};

describe('the status of modems', () => {
  it('is that of the uplink that dials by it, without the texts of its messages and without its PIN', () => {
    const status = modemStatus([{ name: 'mobile', modem: LTE }], { lte: CONFIGURED });
    expect(status).toMatchObject([{ name: 'lte', state: 'up', uplink: 'mobile', messages: 1, bars: 4 }]);
    expect(JSON.stringify(status)).not.toMatch(/4711|balance/);
  });

  it('says what is in the way', () => {
    const failure = { step: 'SIM', reason: 'there is none', remedy: 'put one in' };
    const [status] = modemStatus([{ name: 'mobile', modem: { ...LTE, sim: 'absent', failure } }], { lte: CONFIGURED });
    expect(status).toMatchObject({ state: 'failed', reason: 'SIM: there is none', remedy: 'put one in' });
    const [searching] = modemStatus([{ name: 'mobile', modem: { ...LTE, registration: 'searching' } }], {
      lte: CONFIGURED,
    });
    expect(searching?.state).toBe('connecting');
  });

  it('knows one that no uplink uses', () => {
    const [status] = modemStatus([{ name: 'wan', modem: undefined }], { lte: CONFIGURED });
    expect(status).toMatchObject({ name: 'lte', state: 'down', uplink: '', doing: 'no uplink uses it' });
  });
});
