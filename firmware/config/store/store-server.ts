/** Answers questions to a store, one after the other: an answer that waits for the disk must not be overtaken. */

import type { RandomSource } from '../../protocol/machine.ts';
import { AccountsDatabase } from '../accounts/accounts-database.ts';
import { reasonOf } from '../state-file.ts';
import { TrafficDatabase } from '../traffic/traffic-database.ts';
import { StoreCore } from './store-core.ts';
import type { StoreAnswer, StoreQuestion, StoreWorkerData } from './store-link.ts';
import { answerer } from './store-methods.ts';

/** @param post called with each answer. @returns what takes the questions. */
export function storeServer(
  data: StoreWorkerData,
  random: RandomSource,
  post: (answer: StoreAnswer) => void,
): (question: StoreQuestion) => void {
  const answer = answerer({
    core: new StoreCore({ ...data, random }),
    traffic: new TrafficDatabase(data.stateDirectory),
    accounts: new AccountsDatabase(data.stateDirectory),
  });
  let last: Promise<void> = Promise.resolve();
  return ({ id, method, parameters }) => {
    last = last.then(async () => {
      let reply: StoreAnswer;
      try {
        reply = { id, result: await answer(method, parameters) };
      } catch (error) {
        reply = { id, error: reasonOf(error) };
      }
      post(reply);
    });
  };
}
