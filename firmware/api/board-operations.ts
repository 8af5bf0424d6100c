/** The routes of {@link ./board-routes.ts}. */
import { Type } from 'typebox';
import { MOST_IDENTIFY_SECONDS } from './limits.ts';
import { json, operation } from './operation.ts';
import { boardStatusSchema, doneSchema } from './schemas.ts';

export const getBoard = operation({
  id: 'getBoard',
  tag: 'status',
  summary: 'LEDs, buttons and watchdog of the board',
  description: 'What each LED shows at the moment and why, and how each button is.',
  answer: json(boardStatusSchema, 'The board.'),
});

export const identifyQuery = Type.Object({
  seconds: Type.Integer({
    minimum: 0,
    maximum: MOST_IDENTIFY_SECONDS,
    description: 'How long; 0 ends it.',
  }),
});

export const identifyBoard = operation({
  id: 'identifyBoard',
  tag: 'machine',
  summary: 'Let all LEDs blink, so that somebody finds the router',
  description: 'What is asked for last counts.',
  querystring: identifyQuery,
  answer: json(doneSchema, 'They blink.'),
  errors: { 409: 'The board has no LED that could blink.' },
});
