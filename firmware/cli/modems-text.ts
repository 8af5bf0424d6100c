/** `show modems` for people: a block for each. */
import type { ModemStatus } from '../api/router-control.ts';
import { table } from './table.ts';
import { octetsText } from './units-text.ts';

export function modemsText(modems: readonly ModemStatus[]): readonly string[] {
  if (modems.length === 0) return ['no modems are configured'];
  return modems.flatMap((modem, index) => [...(index === 0 ? [] : ['']), ...oneText(modem)]);
}

function oneText(modem: ModemStatus): readonly string[] {
  const { name, state, uplink, reason, remedy } = modem;
  const by = uplink === '' ? '' : `, for the uplink ${uplink}`;
  const failure = reason === undefined ? [] : [`  ${reason}`, ...(remedy === undefined ? [] : [`  ${remedy}`])];
  // An unused one has nothing to tell.
  const rows = uplink === '' ? [] : rowsOf(modem).filter(([, value]) => value !== '');
  const doing = modem.doing === '' ? '' : ` (${modem.doing})`;
  return [`${name}: ${state}${by}${doing}`, ...failure, ...table(rows).map((line) => `  ${line}`)];
}

function rowsOf(modem: ModemStatus): readonly (readonly [string, string])[] {
  const { where, manufacturer, model, revision, imei, sim, iccid, operator, technology, band, registration } = modem;
  return [
    ['found', where === '' ? 'no modem' : where],
    ['modem', joined(' ', manufacturer, model, revision)],
    ['IMEI', imei],
    // The one thing that a person has to write down for it.
    [
      'SIM',
      joined(
        ', ',
        sim === 'PIN wanted' ? `${sim} (modems.${modem.name}.pin)` : sim,
        iccid === '' ? '' : `ICCID ${iccid}`,
      ),
    ],
    ['network', joined(', ', operator, technology, band, REGISTRATION[registration])],
    ['signal', signalText(modem)],
    ['APN', modem.apn],
    ['data', dataText(modem)],
    ['messages', modem.messages === 0 ? '' : `${modem.messages}`],
  ];
}

const REGISTRATION: Readonly<Record<ModemStatus['registration'], string>> = {
  none: 'not registered, and not searching',
  home: 'registered',
  searching: 'searching',
  denied: 'registration denied',
  unknown: '',
  roaming: 'registered, roaming',
};

function signalText({ bars, signal: { rssi, rsrp, rsrq, sinr } }: ModemStatus): string {
  const measured = joined(
    ', ',
    rssi === undefined ? '' : `RSSI ${rssi} dBm`,
    rsrp === undefined ? '' : `RSRP ${rsrp} dBm`,
    rsrq === undefined ? '' : `RSRQ ${rsrq} dB`,
    sinr === undefined ? '' : `SINR ${sinr} dB`,
  );
  return measured === '' ? '' : `${bars} of 5 bars, ${measured}`;
}

function dataText({ data, online, octetsThisMonth, capOctets }: ModemStatus): string {
  if (data === undefined) return '';
  const way = data === 'ppp' ? 'PPP on its serial line' : 'its network interface';
  const cap = capOctets === undefined ? '' : ` of ${octetsText(capOctets)}`;
  return `${online ? 'connected' : 'not connected'}, by ${way}; ${octetsText(octetsThisMonth)}${cap} this month`;
}

function joined(between: string, ...parts: readonly string[]): string {
  return parts.filter((part) => part !== '').join(between);
}
