import { describe, expect, it } from 'vitest';
import { NotAnsweredError, Terminal } from '../../../firmware/cli/terminal.ts';
import { typist } from './typist.ts';

describe('a question at the terminal', () => {
  it('gives back the line that was typed', async () => {
    const { input, output, echoed } = typist('reset\n');
    expect(await new Terminal(input, output).ask('Sure: ')).toBe('reset');
    expect(output.read()).toBe('Sure: ');
    expect(echoed).toEqual([true]);
  });

  it('for a secret shows nothing of the answer, and the terminal is as before', async () => {
    const { input, output, echoed } = typist('geheim 😀\r', 'seen\n');
    const terminal = new Terminal(input, output);
    expect(await terminal.askSecret('Passphrase: ')).toBe('geheim 😀');
    expect(await terminal.ask('Sure: ')).toBe('seen');
    expect(echoed).toEqual([false, true]);
    expect(output.read()).toBe('Passphrase: \nSure: ');
  });

  it.each([
    ['backspace', 'geheimx\u007f\r'],
    ['another backspace', 'geheimx\b\r'],
    ['the key that kills a line', 'wrong\u0015geheim\r'],
    ['keys that mean nothing here', '\u0001geheim\t\r'],
  ])('for a secret takes %s for what it is', async (_key, answer) => {
    const { input, output } = typist(answer);
    expect(await new Terminal(input, output).askSecret('Passphrase: ')).toBe('geheim');
  });

  it('keeps what was typed ahead for the next one', async () => {
    const { input, output } = typist('one\rtwo\r', '');
    const terminal = new Terminal(input, output);
    expect(await terminal.askSecret('Passphrase: ')).toBe('one');
    expect(await terminal.askSecret('The same: ')).toBe('two');
  });

  it('puts characters together whose octets come one by one', async () => {
    const { input, output } = typist();
    const answer = new Terminal(input, output).askSecret('Passphrase');
    for (const octet of Buffer.from('ß😀\r')) input.emit('data', Buffer.of(octet));
    expect(await answer).toBe('ß😀');
  });

  it.each([
    ['Ctrl-C', 'gehe\u0003', 'broken off'],
    ['Ctrl-D', '\u0004', 'nothing was typed'],
  ])('ends with %s', async (_key, answer, sentence) => {
    const { input, output } = typist(answer);
    const asked = new Terminal(input, output).askSecret('Passphrase: ');
    await expect(asked).rejects.toThrow(NotAnsweredError);
    await expect(asked).rejects.toThrow(sentence);
  });

  it('ends when the terminal goes away', async () => {
    const { input, output } = typist();
    await expect(new Terminal(input, output).ask('Sure: ')).rejects.toThrow(NotAnsweredError);
  });
});
