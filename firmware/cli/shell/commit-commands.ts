/** `commit` and `compare` of configuration mode. */
import { commitRequest } from '../commit-request.ts';
import { showCommit, showPreview } from '../commit-text.ts';
import type { ParsedOptions } from '../options.ts';
import { done } from '../output.ts';
import { revisionReference } from '../revision-reference.ts';
import type { ConfigurationMode } from './configuration.ts';
import { key, type Offers, placeholder, type ShellCommand, ShellError } from './grammar.ts';

const COMMIT_USAGE = 'write "commit [confirm SECONDS [check]] [comment TEXT]"';

const CONFIRM = key('confirm', 'It reverts by itself unless "confirm" is given within so many seconds.');
const CHECK = key('check', 'Confirms by itself once every connection that was up is up again.');
const COMMENT = key('comment', 'For the history.');

export function commitCommand({ client, draft, author }: ConfigurationMode): ShellCommand {
  return {
    name: 'commit',
    help: 'put the draft in force, for good or until it is confirmed',
    follow: (words): Offers => {
      const last = words.at(-1);
      if (last === 'confirm') return { offers: [placeholder('seconds', 'From 5 to 86400.')], enough: false };
      if (last === 'comment') return { offers: [placeholder('text', 'One line; in quotes.')], enough: false };
      const left = [CONFIRM, COMMENT].filter(({ text }) => !words.includes(text));
      const check = words.includes('confirm') && !words.includes('check') ? [CHECK] : [];
      return { offers: [...check, ...left], enough: true };
    },
    run: async (words, { out }) => {
      const options = commitOptions(words);
      await draft.flush();
      if (!draft.begun)
        throw new ShellError('there is no draft, so that there is nothing to put in force: change something first');
      const result = await client.commitCandidate(commitRequest({ options, author }));
      const code = showCommit({ options, out, complain: out }, 'the draft', result);
      if (result.ok) await draft.open(false);
      return code;
    },
  };
}

export function compareCommand({ client, draft }: ConfigurationMode): ShellCommand {
  return {
    name: 'compare',
    help: 'show what the draft differs in from what is in force, or one revision from another',
    follow: (words) => ({
      offers:
        words.length > 1
          ? []
          : [
              key('running', 'What is in force.'),
              key('candidate', 'The draft.'),
              placeholder('revision', 'A number of "show history".'),
            ],
      enough: true,
    }),
    run: async (words, { out }) => {
      await draft.flush();
      const [from, to] = words.map(revisionReference);
      if (from === undefined && !draft.begun) {
        out('there is no draft: nothing differs from what is in force');
        return done;
      }
      const result = await client.compare(from ?? 'running', to ?? (from === undefined ? 'candidate' : 'running'));
      return showPreview({ options: {}, out, complain: out }, 'the draft', result, 'nothing differs');
    },
  };
}

/** @throws ShellError */
function commitOptions(words: readonly string[]): ParsedOptions {
  const options: { check?: boolean; comment?: string; 'confirm-within'?: string } = {};
  const left = [...words];
  for (let word = left.shift(); word !== undefined; word = left.shift()) {
    if (word === 'check') options.check = true;
    else if (word === 'confirm' || word === 'comment') {
      const value = left.shift();
      if (value === undefined) throw new ShellError(`"${word}" is not followed by anything: ${COMMIT_USAGE}`);
      options[word === 'confirm' ? 'confirm-within' : 'comment'] = value;
    } else throw new ShellError(`"${word}" does not belong there: ${COMMIT_USAGE}`);
  }
  return options;
}
