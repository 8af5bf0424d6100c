/** Cellular modems, as metrics. */
import type { ModemStatus, RouterStatus } from '../api/router-control.ts';
import { gauge, type MetricFamily, type MetricSample } from './exposition.ts';

const MEASURES = ['rssi', 'rsrp'] as const;

/** Of those that an uplink uses: another one is left alone, and nothing is known of it. */
export function modemFamilies({ modems }: RouterStatus): MetricFamily[] {
  const used = modems.filter(({ uplink }) => uplink !== '');
  const samples = (value: (modem: ModemStatus) => number | undefined): MetricSample[] =>
    used.flatMap((modem) => {
      const number = value(modem);
      return number === undefined ? [] : [{ labels: { name: modem.name }, value: number }];
    });
  const signals = used.flatMap(({ name, signal }) =>
    MEASURES.flatMap((measure) => {
      const value = signal[measure];
      return value === undefined ? [] : [{ labels: { name, measure }, value }];
    }),
  );
  return [
    gauge(
      'culvert_modem_registered',
      'Whether a network has taken the modem in.',
      samples(({ registration }) => (registration === 'home' || registration === 'roaming' ? 1 : 0)),
    ),
    gauge(
      'culvert_modem_roaming',
      'Whether that is the network of another operator.',
      samples(({ registration }) => (registration === 'roaming' ? 1 : 0)),
    ),
    gauge(
      'culvert_modem_bars',
      'Strength of the signal, 0 to 5.',
      samples(({ bars }) => bars),
    ),
    gauge('culvert_modem_signal_dbm', 'Received signal (rssi), and its reference signals (rsrp).', signals),
    gauge(
      'culvert_modem_month_bytes',
      'Octets of this month, both ways.',
      samples(({ octetsThisMonth }) => octetsThisMonth),
    ),
  ];
}
