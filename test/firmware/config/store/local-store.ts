import type { StartStore } from '../../../../firmware/config/store/store-link.ts';
import { storeServer } from '../../../../firmware/config/store/store-server.ts';
import { LinuxEntropy } from '../../../../hal/linux/entropy.ts';

/** A store in the thread of the test, which starts a hundred times as fast; messages are cloned as between threads. */
export const localStore: StartStore = (data, answered, gone) => {
  const take = storeServer(structuredClone(data), new LinuxEntropy(), (answer) => {
    answered(structuredClone(answer));
    if (answer.id === closing) gone('The store is closed: start the router again.');
  });
  let closing: number | undefined;
  return (question) => {
    if (question.method === 'close') closing = question.id;
    take(structuredClone(question));
  };
};
