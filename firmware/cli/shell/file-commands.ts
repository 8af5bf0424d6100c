/** `save` and `load` of configuration mode. */

import { documentText, formatOfName } from '../../config/derived/document-text.ts';
import { MAX_CONFIGURATION_OCTETS } from '../../config/parse.ts';
import { withStars } from '../../config/store/stars.ts';
import { done, failed } from '../output.ts';
import { FileError, readTextFile, refuseExisting, writeTextFile } from '../text-file.ts';
import { type ConfigurationMode, END_MARK } from './configuration.ts';
import { key, nothingMore, placeholder, type ShellCommand, ShellError } from './grammar.ts';

const FILE = placeholder('file', 'NAME.json or NAME.yaml.');

/** It is on the machine where the console runs, and has the rights of whoever runs it. */
export function fileCommands(mode: ConfigurationMode): readonly ShellCommand[] {
  return mode.files ? [saveCommand(mode), loadCommand(mode)] : [loadCommand(mode)];
}

function saveCommand({ draft, ask }: ConfigurationMode): ShellCommand {
  return {
    name: 'save',
    help: 'write the draft into a file, as JSON or YAML by its ending; stars stand for secrets',
    follow: (words) => (words.length > 0 ? nothingMore : { offers: [FILE], enough: false }),
    run: async (words, { out }) => {
      const file = fileOf(words, 'save');
      const format = formatOfName(file);
      if (format === undefined)
        throw new ShellError(`${file} says by its ending neither JSON nor YAML: name it NAME.json or NAME.yaml`);
      const text = documentText(withStars(draft.document), format);
      const isThere = await refuseExisting(file).then(
        () => false,
        () => true,
      );
      if (isThere && (await ask(`${file} is there already.\nType "yes" to replace it: `)).trim() !== 'yes') {
        out(`${file} stays as it is, since "yes" was not typed: name another file`);
        return failed;
      }
      await fileWorks(() => writeTextFile(file, text, isThere));
      out(
        `the draft is in ${file}; stars there mean the secrets that this router has ("culvert backup" takes secrets along)`,
      );
      return done;
    },
  };
}

function loadCommand(mode: ConfigurationMode): ShellCommand {
  const { draft, files } = mode;
  return {
    name: 'load',
    help: `put a whole configuration in place of the draft: pasted behind the command${files ? ', or from a file' : ''}`,
    follow: (words) =>
      words.length > 0
        ? nothingMore
        : {
            offers: [
              key('json', 'JSON follows, up to a line with a dot alone.'),
              key('yaml', 'YAML, likewise.'),
              ...(files ? [FILE] : []),
            ],
            enough: true,
          },
    run: async (words, { out }) => {
      const [source = 'json'] = words;
      const pasted = source === 'json' || source === 'yaml';
      if (!pasted && !files)
        throw new ShellError(`no files can be had at this console: write "load json", and paste what is in ${source}`);
      if (pasted)
        out(`Paste the configuration, which is not shown; a line with "${END_MARK}" alone ends it, ^C breaks it off.`);
      const file = pasted ? '' : fileOf(words, 'load');
      const text = pasted
        ? await mode.readText()
        : await fileWorks(() => readTextFile(file, MAX_CONFIGURATION_OCTETS, 'configuration'));
      await draft.load(text);
      mode.path = [];
      const lines = text.split('\n').length - 1;
      out(`${lines} lines are the draft now: "compare" shows the difference, "commit" puts it in force`);
    },
  };
}

function fileOf(words: readonly string[], command: string): string {
  const [file = '', superfluous] = words;
  if (file === '' || superfluous !== undefined)
    throw new ShellError(`"${command}" takes one file: write "${command} NAME.json"`);
  return file;
}

/** @throws ShellError in place of a FileError, whose words are as good. */
async function fileWorks<Result>(work: () => Promise<Result>): Promise<Result> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof FileError) throw new ShellError(error.message);
    throw error;
  }
}
