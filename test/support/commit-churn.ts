/**
 * A program that changes configurations until it is killed: the real store and commit desk on a directory, with nothing
 * behind them. Each configuration has a host name of its own, by which it is known again. What it does and what has been
 * acknowledged it writes to the file descriptor 1, one JSON object in each line, at once.
 *
 * Usage: commit-churn.ts DIRECTORY RUN SEED [STEP]
 * DIRECTORY: state directory. RUN: a number that no other run has. STEP: it kills itself at its STEP-th step of a commit.
 */
import { createHash } from 'node:crypto';
import { writeSync } from 'node:fs';
import { join } from 'node:path';
import { CommitDesk } from '../../firmware/config/commit/commit-desk.ts';
import { EMPTY_CONFIGURATION } from '../../firmware/config/empty.ts';
import { parseConfiguration } from '../../firmware/config/parse.ts';
import type { Configuration } from '../../firmware/config/schema.ts';
import { ConfigurationStore } from '../../firmware/config/store/configuration-store.ts';
import { LinuxClock } from '../../hal/linux/clock.ts';
import type { ChurnLine } from './churn-model.ts';
import { SeededRandom } from './seeded-random.ts';

/** Operations of a run that nobody kills. */
const OPERATIONS = 200;

const [directory = '', runText = '', seedText = '', stepText] = process.argv.slice(2);
const run = Number(runText);
const random = new SeededRandom(Number(seedText));
let stepsLeft = stepText === undefined ? Number.POSITIVE_INFINITY : Number(stepText);

function say(line: ChurnLine): void {
  writeSync(1, `${JSON.stringify(line)}\n`);
}

/** Ends the process here, where it was asked to. */
function step(): void {
  stepsLeft -= 1;
  if (stepsLeft <= 0) process.kill(process.pid, 'SIGKILL');
}

let inForce: Configuration = EMPTY_CONFIGURATION;
const store = new ConfigurationStore({
  stateDirectory: directory,
  keyDirectory: join(directory, 'key'),
  factory: EMPTY_CONFIGURATION,
  at: Date.now(),
});
const desk = new CommitDesk({
  store,
  clock: new LinuxClock(),
  factory: EMPTY_CONFIGURATION,
  enforce: async (configuration) => {
    inForce = configuration;
    step();
    return { changes: [], failures: [] };
  },
  up: () => [],
  log: () => undefined,
  onStep: step,
});

const AUTHOR = { who: 'churn', via: 'cli', comment: '' } as const;

function file(name: string): string {
  const hq = { server: '10.20.0.2', user: 'alice', password: `password of ${name}` };
  const padding = Object.fromEntries(
    Array.from({ length: random.int(40) }, (_, index) => [`c${index}`, { ...hq, start: 'manual' }]),
  );
  return JSON.stringify({ system: { hostname: name }, l2tp: { clients: { hq, ...padding } } });
}

/** By which a whole configuration is known again. */
function digest(configuration: Configuration): string {
  return createHash('sha256').update(JSON.stringify(configuration)).digest('hex');
}

/** Of what a text says. */
function digestOf(text: string): string {
  const parsed = parseConfiguration(text, 'churn.json');
  if (!parsed.ok) throw new Error(JSON.stringify(parsed.problems));
  return digest(parsed.configuration);
}

/** One operation. @param name no other configuration has it. */
async function operate(name: string): Promise<void> {
  const kind = random.int(10);
  const source = { kind: 'text', text: file(name), fileName: 'churn.json' } as const;
  if (kind === 0) {
    say({ does: 'refused' });
    const wrong = await desk.commit({ ...source, text: '{"system": {"hostname": "-"}}' }, AUTHOR);
    if (wrong.ok) throw new Error('a wrong configuration was taken');
  } else if (kind <= 2) {
    say({ does: 'draft', name });
    const { revision } = desk.state();
    const answer = await store.editCandidate({ ...source, takeover: true }, AUTHOR, revision, Date.now());
    if (!answer.ok) throw new Error(answer.reason);
    say({ did: 'draft', name });
  } else if (kind <= 4) {
    say({ does: 'try', name, digest: digestOf(source.text) });
    const outcome = await desk.commit(source, { ...AUTHOR, confirmWithin: 600 });
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    say({ did: 'try', name });
    if (random.int(2) === 0) {
      say({ does: 'confirm', name, digest: digestOf(source.text) });
      const written = await desk.confirm(AUTHOR);
      if (!written.ok) throw new Error(written.reason);
      say({ did: 'confirm', name, revision: outcome.revision });
    } else {
      const written = await desk.revert(AUTHOR);
      if (!written.ok) throw new Error(written.reason);
      say({ did: 'revert' });
    }
  } else if (kind === 5) {
    await commitDraft(source.text, name);
  } else if (kind === 6) {
    await rollBack();
  } else {
    say({ does: 'commit', name, digest: digestOf(source.text) });
    const outcome = await desk.commit(source, AUTHOR);
    if (!outcome.ok) throw new Error(JSON.stringify(outcome));
    say({ did: 'confirm', name, revision: outcome.revision });
  }
}

/** What somebody else drafted is taken over, and committed. */
async function commitDraft(text: string, name: string): Promise<void> {
  say({ does: 'draft', name });
  const thief = { who: 'thief', via: 'web' } as const;
  const given = { text, fileName: 'draft.json', takeover: true };
  const answer = await store.editCandidate(given, thief, desk.state().revision, Date.now());
  if (!answer.ok) throw new Error(answer.reason);
  say({ did: 'draft', name });
  // With the commit the draft is gone.
  say({ does: 'draft', name: '' });
  say({ does: 'commit', name, digest: digestOf(text) });
  const outcome = await desk.commit({ kind: 'candidate' }, { ...thief, comment: '' });
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  say({ did: 'confirm', name, revision: outcome.revision });
  say({ did: 'draft', name: '' });
}

/** The oldest revision that is kept comes back, unless it is what is in force. */
async function rollBack(): Promise<void> {
  const oldest = (await store.history()).revisions.at(-1);
  if (oldest === undefined) return;
  const found = await store.compare('running', oldest.id);
  if (!found.ok || found.diff.length === 0) return;
  const name = found.to.system.hostname;
  say({ does: 'commit', name, digest: digest(found.to) });
  const outcome = await desk.commit({ kind: 'revision', revision: oldest.id }, AUTHOR);
  if (!outcome.ok) throw new Error(JSON.stringify(outcome));
  say({ did: 'confirm', name, revision: outcome.revision });
}

await desk.start();
const { revision, state, reason = '' } = desk.state();
const { revisions } = await store.history();
const draft = await store.candidate();
say({
  found: inForce.system.hostname,
  digest: digest(inForce),
  secret: inForce.l2tp.clients['hq']?.password ?? '',
  revision,
  state,
  reason,
  draft: draft.ok && draft.candidate !== undefined ? draft.candidate.text : '',
  history: revisions.map((one) => ({ id: one.id, state: one.state, hash: one.hash })),
});
for (let count = 0; count < OPERATIONS; count += 1) await operate(`r${run}-${count}`);
await desk.close();
