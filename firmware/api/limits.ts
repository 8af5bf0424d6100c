/** What a request to the control API may be at most. */

/** Octets of a body: a configuration with every site of a large customer in it is a tenth of that. */
export const BODY_LIMIT = 1024 * 1024;

/** Octets of a body with a backup in it: defaults, JSON and Base64 make one some times longer than what was applied. */
export const BACKUP_LIMIT = 16 * 1024 * 1024;

/** Longest name of a file or a connection, characters. */
export const MAX_NAME = 255;

/** Longest name of a user, characters: Linux has 32 (useradd(8)); other directories have longer ones. */
export const MAX_WHO = 64;

/** Longest comment of a revision, characters: a line that a history still shows. */
export const MAX_COMMENT = 256;

/** Longest passphrase of a backup, characters: nobody types more, and no work is done for more. */
export const MAX_PASSPHRASE = 1024;

/** Largest number of a revision: SQLite would count further, and no router lives that long. */
export const MAX_REVISION = 999_999_999;

/** Longest name of a host, characters (RFC 1035 section 2.3.4, without the final dot). */
export const MAX_HOST = 253;

/** How long LEDs blink at most for somebody who looks for the router, s. */
export const MOST_IDENTIFY_SECONDS = 3600;

/** The latest that a reboot can be asked for, min: a day, as nobody remembers it longer. */
export const MOST_MINUTES = 1440;
