/** The revisions of the configuration as a table for people. */
import type { History } from '../api/configuration-control.ts';
import { configurationStateText } from './configuration-state-text.ts';
import { instantText } from './instant-text.ts';
import { table } from './table.ts';

/** The newest first; a star marks the one in force. */
export function historyText({ state, revisions }: History): readonly string[] {
  const head = ['', 'REVISION', 'WHEN', 'WHO', 'VIA', 'STATE', 'COMMENT'];
  const rows = revisions.map(({ id, at, who, via, state: kind, comment, reason }) => [
    id === state.revision ? '*' : '',
    String(id),
    instantText(at),
    oneLine(who),
    via,
    kind,
    oneLine([comment, reason === undefined ? '' : `[${reason}]`].filter((part) => part !== '').join(' ')),
  ]);
  return [...configurationStateText(state), ...(rows.length === 0 ? [] : table([head, ...rows]))];
}

function oneLine(text: string): string {
  return text.replaceAll('\n', ' ');
}
