/** docs/configuration.md, made from the schema and the rules. `scripts/docs` writes it. */
import { stringify } from 'yaml';
import { CONFIGURATION_RULES } from '../rules.ts';
import { CONFIGURATION_SCHEMA } from '../schema.ts';
import { schemaEntries } from '../schema-entries.ts';
import { schemaNode } from '../schema-node.ts';
import { algorithms } from './algorithms.ts';
import { BRANCH, EXAMPLES } from './examples.ts';
import { introduction } from './introduction.ts';
import { keySections } from './keys.ts';
import { code, compactJson, table, wrapped } from './markdown.ts';
import { profiles } from './profiles.ts';

/** Where it stands in the checkout. */
export const REFERENCE_PATH = 'docs/configuration.md';

/** The whole page, Markdown; the same at every call. */
export function configurationReference(): string {
  return `${[
    '# Configuration',
    'This page is made from the schema by `scripts/docs`: change the schema, not the page.',
    introduction(),
    '## Examples',
    ...EXAMPLES.map(
      ({ title, words, document }) => `### ${title}\n\n${wrapped(words)}\n\n${fence('json', compactJson(document))}`,
    ),
    `### The branch in YAML\n\nThe first example once more:\n\n${fence('yaml', stringify(BRANCH.document).trimEnd())}`,
    '## Keys',
    keySections(schemaEntries(schemaNode(CONFIGURATION_SCHEMA))),
    '## Algorithms of IPsec',
    algorithms(),
    '## Profiles of peers',
    profiles(),
    '## Rules between keys',
    wrapped(
      'A broken rule of the kind *error* refuses the configuration; a *warning* is told, and the configuration taken. The names are ' +
        'stable, for programs.',
    ),
    table(
      ['Rule', 'Kind', 'What it says'],
      CONFIGURATION_RULES.map(({ name, severity, description }) => [code(name), severity, description]),
    ),
  ].join('\n\n')}\n`;
}

function fence(language: string, text: string): string {
  return `\`\`\`${language}\n${text}\n\`\`\``;
}
