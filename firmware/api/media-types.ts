/** Media types of the control API. */
export const JSON_TYPE = 'application/json';

/** RFC 7807 section 3. */
export const PROBLEM_TYPE = 'application/problem+json';

/** RFC 7396 section 4. */
export const MERGE_PATCH_TYPE = 'application/merge-patch+json';

/** WHATWG HTML section 9.2. */
export const EVENT_STREAM_TYPE = 'text/event-stream';

export const PCAPNG_TYPE = 'application/x-pcapng';

/** A JSON object in each line, as they come. */
export const NDJSON_TYPE = 'application/x-ndjson';
