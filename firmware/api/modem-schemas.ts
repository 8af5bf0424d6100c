/** What the control API tells of a cellular modem. */
import { Type } from 'typebox';
import { count, text } from './schema-parts.ts';

const decibels = (description: string) => Type.Optional(Type.Number({ description }));

/** @param entry what every entry of a status list has. */
export function modemStatus<Entry extends Parameters<typeof Type.Object>[0]>(entry: Entry) {
  return Type.Object({
    ...entry,
    uplink: text('Name of the uplink that dials by it; empty: none does, and the modem is left alone.'),
    where: text('What was found and where, `Quectel EC25/EG25 (2c7c:0125) on USB 1-1.2`; empty while there is none.'),
    manufacturer: text('As the modem calls it; empty until it has.'),
    model: text('As the modem calls it.'),
    revision: text('Of its firmware.'),
    imei: text('Serial number of the modem.'),
    sim: Type.Enum(['unknown', 'absent', 'PIN wanted', 'PUK wanted', 'ready', 'failed']),
    iccid: text('Serial number of the SIM.'),
    operator: text('The network, as it calls itself.'),
    technology: text('`LTE`, `UMTS` and the like.'),
    band: text('`LTE BAND 3`'),
    registration: Type.Enum(['none', 'home', 'searching', 'denied', 'unknown', 'roaming']),
    apn: text('Access point name that is used.'),
    bars: Type.Integer({ minimum: 0, maximum: 5, description: 'Strength of the signal.' }),
    signal: Type.Object({
      rssi: decibels('Received signal strength, dBm.'),
      rsrp: decibels('Power of the reference signals, dBm.'),
      rsrq: decibels('Quality of the reference signals, dB.'),
      sinr: decibels('Signal to interference and noise, dB.'),
    }),
    online: Type.Boolean({ description: 'A call stands.' }),
    data: Type.Optional(Type.Enum(['ppp', 'ethernet'], { description: 'How data travels; absent without a modem.' })),
    octetsThisMonth: count('Both ways, by whatever it travelled.'),
    capOctets: Type.Optional(count('What a month may carry.')),
    messages: count('Short messages that came.'),
    doing: text('What it is doing now; empty when there is nothing to say.'),
  });
}
