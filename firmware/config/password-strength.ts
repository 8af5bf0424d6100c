/** Whether a password is fit for an account of this router, on which strangers may try. */

/** With the back-off of the login this leaves nothing to guessing; a stolen hash takes years. */
export const MIN_PASSWORD_CHARACTERS = 10;

/** What is tried first by everybody who tries, of those that are long enough; in small letters. */
const COMMON = new Set([
  '0123456789',
  '1234567890',
  '1234567891',
  '12345678910',
  '123456789a',
  '1q2w3e4r5t',
  '1qaz2wsx3edc',
  'abcdefghij',
  'administrator',
  'changeme123',
  'password12',
  'password123',
  'password1234',
  'passwordpassword',
  'q1w2e3r4t5',
  'qwerty12345',
  'qwerty123456',
  'qwertyuiop',
  'letmein123',
  'welcome123',
  'welcome1234',
  'iloveyou123',
]);

/** @returns what is wrong with it, to follow `found: `; `undefined` when it will do. */
export function passwordWeakness(user: string, password: string): string | undefined {
  const characters = [...password];
  if (characters.length < MIN_PASSWORD_CHARACTERS)
    return `a password of less than ${MIN_PASSWORD_CHARACTERS} characters`;
  const small = password.toLowerCase();
  if (small.includes(user.toLowerCase()) && user.length >= 3) return 'a password with the name of the user in it';
  if (COMMON.has(small)) return 'a password that is among the first that are tried';
  if (new Set(characters).size < 4) return 'a password of hardly any different characters';
  return undefined;
}

/** To follow `allowed: `. */
export const PASSWORD_ALLOWED = `${MIN_PASSWORD_CHARACTERS} characters or more, without the name of the user, and nothing that everybody tries first`;
