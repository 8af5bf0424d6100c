/** The routes of {@link ./machine-routes.ts}. */
import { Type } from 'typebox';
import { authorQuery } from './configuration-schemas.ts';
import { MOST_MINUTES } from './limits.ts';
import { json, operation } from './operation.ts';
import { doneSchema } from './schemas.ts';

export const machineParameters = Type.Object({
  action: Type.Enum(['restart', 'reboot', 'poweroff'], {
    description: '`restart` is of the firmware, which ends for its supervisor to start it again.',
  }),
});

export const machineQuery = Type.Object({
  ...authorQuery.properties,
  minutes: Type.Optional(
    Type.Integer({ minimum: 0, maximum: MOST_MINUTES, description: 'Until then; without it at once.' }),
  ),
  yes: Type.Optional(
    Type.Boolean({ description: 'Also while a configuration waits for its confirmation, which is taken back by it.' }),
  ),
});

export const endMachine = operation({
  id: 'endMachine',
  tag: 'machine',
  summary: 'Restart the firmware, reboot the machine or power it off',
  description: 'Every connection ends with a goodbye. What is asked for last counts.',
  params: machineParameters,
  querystring: machineQuery,
  answer: json(doneSchema, 'It is on its way, or will be after so many minutes.'),
  errors: { 409: 'A configuration waits for its confirmation, or the machine does not let this router do it.' },
});

export const keepMachine = operation({
  id: 'keepMachine',
  tag: 'machine',
  summary: 'Take back what was to come after some minutes',
  description: 'The router runs on.',
  querystring: authorQuery,
  answer: json(doneSchema, 'Nothing is to come any more.'),
  errors: { 409: 'Nothing was to come.' },
});
