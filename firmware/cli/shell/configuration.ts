/** Commands of configuration mode. */
import type { ConfigurationClient } from '../../api/configuration-client.ts';
import { type Completion, completeConfiguration } from '../../config/derived/completion.ts';
import {
  deleteEdit,
  type EditPath,
  type EditResult,
  editPlace,
  pathText,
  saysSecret,
  secretEdit,
  setEdit,
} from '../../config/derived/edits.ts';
import { setWords } from '../../config/derived/set-words.ts';
import type { Configuration } from '../../config/schema.ts';
import type { Author } from '../../config/store/revision.ts';
import { withStars } from '../../config/store/stars.ts';
import { done } from '../output.ts';
import { commitCommand, compareCommand } from './commit-commands.ts';
import type { Draft } from './draft.ts';
import type { Facts } from './facts.ts';
import { fileCommands } from './file-commands.ts';
import { nothingMore, type Offers, type Running, type ShellCommand, ShellError } from './grammar.ts';
import { quoteWord } from './lexer.ts';

/** Ends what is pasted behind `load`. */
export const END_MARK = '.';

export interface ConfigurationMode {
  readonly client: ConfigurationClient;
  readonly author: Author;
  readonly draft: Draft;
  /** Where `edit` has led. */
  path: EditPath;
  /** Reads lines up to the end mark, without showing them. @throws NotAnsweredError when it was broken off. */
  readonly readText: () => Promise<string>;
  readonly ask: (question: string) => Promise<string>;
  readonly askSecret: (question: string) => Promise<string>;
  /** Whether files can be read and written: those of whoever runs the console, and with that person's rights. */
  readonly files: boolean;
  readonly leave: () => void;
  readonly facts: Facts;
}

export function configurationCommands(mode: ConfigurationMode): readonly ShellCommand[] {
  const { draft } = mode;
  const inMode = (words: readonly string[]) => [...mode.path.map(String), ...words];

  const all = () => true;
  const existing = ({ kind }: Completion) => kind !== 'placeholder';

  /** What can follow in the configuration, and whether the words do something as they are. */
  const follow =
    (only: (offer: Completion) => boolean, enough: (path: readonly string[]) => boolean) =>
    (words: readonly string[]): Offers => ({
      offers: completeConfiguration(inMode(words), '', draft.document as Configuration).filter(only),
      enough: enough(inMode(words)),
    });

  const followSet = follow(all, (path) => {
    const result = setEdit(path, draft.document);
    return result.ok || 'secret' in result;
  });

  const change = async (result: EditResult): Promise<number> => {
    if (result.ok) draft.edit(result.edit);
    else if ('secret' in result) {
      const { path, title } = result.secret;
      const text = await mode.askSecret(`${title}: `);
      if ((await mode.askSecret('The same once more: ')) !== text)
        throw new ShellError('the two are not the same, and nothing was changed: try again');
      return await change(secretEdit(path, text, draft.document));
    } else throw new ShellError(result.reason);
    return done;
  };

  const show = async (words: readonly string[], { out }: Running): Promise<number> => {
    const json = words.at(-1) === '--json';
    const place = editPlaceOrValue(inMode(json ? words.slice(0, -1) : words), withStars(draft.document));
    if (json) {
      out(JSON.stringify(place.value ?? null, undefined, 2));
      return done;
    }
    const rows = setWords(draft.document, place.path);
    for (const row of rows) out(`set ${row.map(quoteWord).join(' ')}`);
    if (rows.length === 0)
      out(place.path.length === 0 ? 'nothing is configured' : `nothing is at ${pathText(place.path)}`);
    return done;
  };

  return [
    {
      name: 'set',
      help: 'set a value, add to a list, or make an entry',
      follow: async (words) => {
        const { offers, enough } = followSet(words);
        const known = namesDevice(inMode(words)) ? await mode.facts.devices() : [];
        return { offers: [...known, ...offers], enough };
      },
      run: async (words) => change(setEdit(inMode(words), draft.document)),
      secret: (words) => saysSecret(inMode(words), draft.document),
    },
    {
      name: 'delete',
      help: 'take away a value, an entry, or items of a list',
      follow: follow(existing, (path) => deleteEdit(path, draft.document).ok),
      run: async (words) => change(deleteEdit(inMode(words), draft.document)),
    },
    {
      name: 'edit',
      help: 'go to a part of the configuration: what is set and shown then is below it',
      follow: follow(all, (path) => path.length > mode.path.length && editPlace(path, draft.document).ok),
      run: async (words) => {
        const found = editPlace(inMode(words), draft.document);
        if (!found.ok) throw new ShellError(found.reason);
        mode.path = found.place.path;
      },
    },
    {
      name: 'up',
      help: 'go one level up',
      follow: () => nothingMore,
      run: async () => {
        mode.path = mode.path.slice(0, -1);
      },
    },
    {
      name: 'top',
      help: 'go to the top',
      follow: () => nothingMore,
      run: async () => {
        mode.path = [];
      },
    },
    {
      name: 'show',
      help: 'show the draft, or a part of it, as the commands that write it; secrets are left out',
      follow: (words) => {
        const { offers } = follow(existing, () => true)(words);
        return { offers: [...offers, { text: '--json', help: 'As JSON.', kind: 'value' }], enough: true };
      },
      run: show,
    },
    compareCommand(mode),
    commitCommand(mode),
    ...draftCommands(mode),
  ];
}

/** What comes next is a network device, of which the configuration knows only those that it has already. */
function namesDevice([section, name, key, ...value]: readonly string[]): boolean {
  return section === 'interfaces' && name !== undefined && key === 'device' && value.length === 0;
}

/** Those that are about the draft as a whole. */
function draftCommands(mode: ConfigurationMode): readonly ShellCommand[] {
  const { draft } = mode;
  return [
    ...fileCommands(mode),
    {
      name: 'discard',
      help: 'throw the draft away',
      follow: () => nothingMore,
      run: async (_words, { out }) => {
        if (!draft.begun) throw new ShellError('there is no draft, so that there is nothing to throw away');
        await draft.discard();
        out('the draft is gone; what is in force stays');
      },
    },
    {
      name: 'exit',
      help: 'leave configuration mode; a draft stays',
      follow: () => nothingMore,
      run: async (_words, { out }) => {
        if (mode.path.length > 0) {
          mode.path = [];
          return;
        }
        await draft.flush();
        if (draft.begun) out('the draft stays: "configure" takes it up again');
        mode.leave();
      },
    },
  ];
}

function editPlaceOrValue(words: readonly string[], document: unknown) {
  const found = editPlace(words, document);
  if (found.ok) return found.place;
  const parent = editPlace(words.slice(0, -1), document);
  const last = words.at(-1) ?? '';
  if (!parent.ok) throw new ShellError(found.reason);
  const value = (parent.place.value as Record<string, unknown> | undefined)?.[last];
  if (value === undefined) throw new ShellError(found.reason);
  return { path: [...parent.place.path, last], value };
}
