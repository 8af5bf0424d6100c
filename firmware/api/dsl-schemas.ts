/** What the status tells of the DSL line in front of an interface. */
import { Type } from 'typebox';
import { count, text } from './schema-parts.ts';

const decibels = (description: string) => Type.Optional(Type.Number({ description: `${description}, dB.` }));
const kilobits = (description: string) => Type.Optional(count(`${description}, kbit/s.`));
const errors = (description: string) => Type.Optional(count(`${description}, since the modem was started.`));

const direction = (description: string) =>
  Type.Object(
    {
      rateKbps: kilobits('Net rate'),
      attainableKbps: kilobits('What the line could carry'),
      marginDb: decibels('Signal-to-noise ratio margin'),
      attenuationDb: decibels('Attenuation of the line'),
      powerDbm: Type.Optional(Type.Number({ description: 'Transmit power, dBm.' })),
      errors: Type.Optional(
        Type.Object({
          fec: errors('Codewords that error correction has mended'),
          crc: errors('Frames that were damaged all the same'),
          es: errors('Errored seconds'),
          ses: errors('Severely errored seconds'),
          uas: errors('Seconds in which the line was not available'),
        }),
      ),
    },
    { description },
  );

export const dslLineStatusSchema = Type.Object({
  source: text('Who tells: `console of the modem on /dev/ttyUSB3`.'),
  line: Type.Optional(
    Type.Object(
      {
        state: Type.Enum(['idle', 'handshake', 'training', 'showtime', 'failed'], {
          description:
            '`handshake`: both ends look for each other; `training`: the line is measured; `showtime`: it is up.',
        }),
        stateWords: text('The state as the modem says it.'),
        mode: Type.Optional(text('Standard and annex, `VDSL2 Annex B`.')),
        profile: Type.Optional(text('Of VDSL2, `17a`.')),
        down: direction('Towards this router.'),
        up: direction('From this router.'),
        retrains: Type.Optional(count('How often it has trained anew since the modem was started.')),
        retrainReason: Type.Optional(text('Why it did so last, as the modem says it.')),
        upSince: Type.Optional(Type.Number({ description: 'Wall-clock ms since 1970 at which it came up.' })),
        seenAt: Type.Number({ description: 'Wall-clock ms since 1970 at which the modem told this.' }),
      },
      { description: 'Absent until the modem has told something, and while it cannot be asked.' },
    ),
  ),
  reason: Type.Optional(
    text('Why the line is not up, or why the modem does not tell, one sentence without a full stop.'),
  ),
  remedy: Type.Optional(text('What to do about it, one sentence without a full stop.')),
  syncs: Type.Array(
    Type.Object({
      upAt: Type.Number({ description: 'Wall-clock ms since 1970.' }),
      downAt: Type.Optional(Type.Number({ description: 'Wall-clock ms since 1970; absent while it lasts.' })),
      downKbps: kilobits('Rate towards this router'),
      upKbps: kilobits('Rate from this router'),
      reason: Type.Optional(text('Why it ended.')),
    }),
    { description: 'When the line was up, the oldest first; the last 32.' },
  ),
});
