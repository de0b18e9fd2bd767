// What may be shown of a written value: a URL's credentials are shown nowhere, nor what is called a key or a token.

const authority = /^([a-z][a-z0-9+.-]*:[/\\]*)[^/\\?#]*@/i;
// No URL, maybe for the very password (`http://me:a/b@host`), or one in disguise: it ends at the last @.
const anything = /^(.*?:\/\/).*@|^([^=:]*=)?[^@]*:.*@/s;

const credential = String.raw`[\w.-]*(?:auth|key|token|cookie|secret|passw|pwd|signature|credential)[\w.-]*=`;
const inQuery = new RegExp(`([?&]${credential})[^&#]*`, 'gi');
// Of a map, such as headers: `Authorization=Bearer hush`.
const inMap = new RegExp(`^(${credential}).*$`, 'is');

/**
 * `http://me:hush@host/?token=hush` to `http://[redacted]@host/?token=[redacted]`; of a wrong value, all that may be
 * credentials.
 */
export function redacted(written: string): string {
  return withoutUser(written).replace(inQuery, '$1[redacted]').replace(inMap, '$1[redacted]');
}

function withoutUser(written: string): string {
  if (!written.includes('@')) return written;
  const url = URL.canParse(written) ? new URL(written) : undefined;
  if (url?.pathname.startsWith('/') && !url.username && !url.password) return written;
  const precise = url ? written.replace(authority, '$1[redacted]@') : written;
  return precise === written ? written.replace(anything, '$1$2[redacted]@') : precise;
}

/** The same for all texts in plain data. */
export function redactedDeep(value: unknown): unknown {
  if (typeof value === 'string') return redacted(value);
  if (Array.isArray(value)) return value.map(redactedDeep);
  if (typeof value !== 'object' || value === null) return value;
  return Object.fromEntries(Object.entries(value).map(([key, held]) => [key, redactedDeep(held)]));
}
