// What has to go, what has to stay, and what tries to get around it. Secrets here were made up for this file.

const encoded = (value: unknown) => Buffer.from(JSON.stringify(value)).toString('base64url');
export const token = `${encoded({ alg: 'HS256', typ: 'JWT' })}.${encoded({ sub: '1', name: 'Alice' })}.c2lnbmF0dXJlLW9mLXRoaXM`;
const typFirst = `${encoded({ typ: 'JWT', alg: 'none' })}.${encoded({ sub: '1' })}.`;
const encrypted = `${encoded({ enc: 'A256GCM', alg: 'RSA-OAEP' })}.AAAA.BBBB.CCCC.DDDD`;
const spaced = `${Buffer.from('{\r\n  "typ" : "JWT",\r\n  "alg" : "RS256" }').toString('base64url')}.e30.c2ln`;
const line64 = 'MIIEvQIBADANBgkqhkiG9w0BAQEFAASCBKcwggSjAgEAAoIBAQC7VJTUt9Us8cKj'.slice(0, 64);
export const pem = `-----BEGIN PRIVATE KEY-----\n${line64}\nMzEfYyjiWA4R4/M2bS1GB4t7NXp98C3S\n-----END PRIVATE KEY-----`;
export const keyLines: readonly string[] = pem.split('\n');

/** Line, and what becomes of it. */
export const positives: readonly (readonly [string, string])[] = [
  // Cards.
  ['paid with 4111111111111111', 'paid with [REDACTED:card]'],
  ['paid with 4111 1111 1111 1111.', 'paid with [REDACTED:card].'],
  ['card 5500-0055-5555-5559 ok', 'card [REDACTED:card] ok'],
  ['378282246310005', '[REDACTED:card]'],
  ['amex 3782 822463 10005', 'amex [REDACTED:card]'],
  ['30569309025904,6011111111111117;3530111333300000', '[REDACTED:card],[REDACTED:card];[REDACTED:card]'],
  ['2223003122003222 and 6200000000000005', '[REDACTED:card] and [REDACTED:card]'],
  ['4222222222222', '[REDACTED:card]'],
  ['maestro 6759649826438453 4111.1111.1111.1111', 'maestro [REDACTED:card] [REDACTED:card]'],
  ['7 4111 1111 1111 1111 12/29 123', '7 [REDACTED:card] 12/29 123'],
  ['pan=4111111111111111&cvv=1', 'pan=[REDACTED:card]&cvv=1'],
  ['pan_4111111111111111_x', 'pan_[REDACTED:card]_x'],
  ['{"card":4111111111111111,"ok":true}', '{"card":"[REDACTED:card]","ok":true}'],
  ['{"card":"4111111111111111"}', '{"card":"[REDACTED:card]"}'],
  ['[1, 4111111111111111, 5]', '[1, "[REDACTED:card]", 5]'],
  ['{"m":"a, 4111111111111111, b"}', '{"m":"a, [REDACTED:card], b"}'],
  ['{"a":{"b":[ 378282246310005 ]}}', '{"a":{"b":[ "[REDACTED:card]" ]}}'],
  // JWTs.
  [`got ${token} from`, 'got [REDACTED:jwt] from'],
  [`x=${typFirst}`, 'x=[REDACTED:jwt]'],
  [`${encrypted}!`, '[REDACTED:jwt]!'],
  [`id_${spaced}`, 'id_[REDACTED:jwt]'],
  [`{"t":"${token}"}`, '{"t":"[REDACTED:jwt]"}'],
  [`glued-${token}`, 'glued-[REDACTED:jwt]'],
  // Private keys.
  [`key: ${pem} done`, 'key: [REDACTED:private-key] done'],
  [`{"k":${JSON.stringify(pem)},"a":1}`, '{"k":"[REDACTED:private-key]","a":1}'],
  ['-----BEGIN RSA PRIVATE KEY-----\nProc-Type: 4,ENCRYPTED\n\nAAAA', '[REDACTED:private-key]'],
  ['AAAA\nBBBB=\n-----END EC PRIVATE KEY----- and more', '[REDACTED:private-key] and more'],
  ['-----BEGIN PGP PRIVATE KEY BLOCK-----\nlQ\n-----END PGP PRIVATE KEY BLOCK-----', '[REDACTED:private-key]'],
  [line64, '[REDACTED:private-key]'],
  [`tls.key=${Buffer.from(pem).toString('base64')}`, 'tls.key=[REDACTED:private-key]'],
  // AWS.
  ['using AKIAIOSFODNN7EXAMPLE now', 'using [REDACTED:aws-key] now'],
  ['"ASIAIOSFODNN7EXAMPLE"', '"[REDACTED:aws-key]"'],
  [
    'AWS_SECRET_ACCESS_KEY=wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY AWS_REGION=eu-west-1',
    'AWS_SECRET_ACCESS_KEY=[REDACTED:secret] AWS_REGION=eu-west-1',
  ],
  // Authorization.
  ['Authorization: Bearer abc.def-ghi', 'Authorization: Bearer [REDACTED:authorization]'],
  ['> authorization: Basic dXNlcjpwYXNz', '> authorization: Basic [REDACTED:authorization]'],
  ['Proxy-Authorization: abc', 'Proxy-Authorization: [REDACTED:authorization]'],
  ['Authorization: Digest username="a", response="6629fae4"', 'Authorization: [REDACTED:authorization]'],
  ['{"authorization":"Bearer a b"}', '{"authorization":"[REDACTED:authorization]"}'],
  ['sent Bearer 0123456789abcdef', 'sent Bearer [REDACTED:authorization]'],
  ['sent basic dXNlcjpwYXNz, 200', 'sent basic [REDACTED:authorization], 200'],
  // URLs.
  ['postgres://app:hunter2@db:5432/main', 'postgres://app:[REDACTED:url-password]@db:5432/main'],
  ['redis://:p4ss@cache/0', 'redis://:[REDACTED:url-password]@cache/0'],
  ['amqp://u:p@ss@mq', 'amqp://u:[REDACTED:url-password]@mq'],
  ['mysql://u:pa/ss@db/x?y=z@w', 'mysql://u:[REDACTED:url-password]@db/x?y=z@w'],
  ['{"u":"https:\\/\\/u:pw@host\\/"}', '{"u":"https:\\/\\/u:[REDACTED:url-password]@host\\/"}'],
  // Keys and values.
  ['password=hunter2', 'password=[REDACTED:secret]'],
  ['DB_PASSWORD="hun ter2" next', 'DB_PASSWORD="[REDACTED:secret]" next'],
  ["{'passwd': 'x', 'a': 1}", "{'passwd': '[REDACTED:secret]', 'a': 1}"],
  ['GET /?access_token=abc&x=1', 'GET /?access_token=[REDACTED:secret]&x=1'],
  ['X-Api-Key: 123', 'X-Api-Key: [REDACTED:secret]'],
  ['apiKey => abc, refreshToken := def', 'apiKey => [REDACTED:secret], refreshToken := [REDACTED:secret]'],
  ['run --password hunter2 --verbose', 'run --password [REDACTED:secret] --verbose'],
  ['run --db-token=abc', 'run --db-token=[REDACTED:secret]'],
  ['<password>hunter2</password>', '<password>[REDACTED:secret]</password>'],
  ['Server=db;Uid=sa;Pwd=x1;', 'Server=db;Uid=sa;Pwd=[REDACTED:secret];'],
  ['{"pwd":"x"}', '{"pwd":"[REDACTED:secret]"}'],
  ['{"token":12345,"n":1}', '{"token":"[REDACTED:secret]","n":1}'],
  ['{"secret":{"a":["}"],"b":"x"},"n":1}', '{"secret":"[REDACTED:secret]","n":1}'],
  ['{"m":"{\\"password\\":\\"x y\\",\\"a\\":1}"}', '{"m":"{\\"password\\":\\"[REDACTED:secret]\\",\\"a\\":1}"}'],
  ['{"password":"a\\"b","n":1}', '{"password":"[REDACTED:secret]","n":1}'],
  ['{"password":"a\\\\","n":1}', '{"password":"[REDACTED:secret]","n":1}'],
  ['credentials: abc; client_secret=d', 'credentials: [REDACTED:secret]; client_secret=[REDACTED:secret]'],
];

/** Nothing in them is a secret. */
export const negatives: readonly string[] = [
  '',
  '2026-11-21T23:38:41.123Z INFO served /api/v1/invoices/8231 in 13 ms',
  'epoch 1763768321123 1763768321123456 1763768321123456789',
  '20261121233841 2026-11-21-23-38-41-123 2026 11 21 23 38 41',
  'order4111111111111111 4111111111111111b a4111111111111111b',
  '0.4111111111111111 4111111111111111.5 1.4532015112830366e15',
  'wrong digit 4111111111111112 no issuer 1111111111111117 0000000000000000',
  'too long 41111111111111111111111',
  'uuid 4111a111-1111-4111-8111-411111111111 550e8400-e29b-41d4-a716-446655440000',
  'ip 192.168.111.111 port 5432, +49 170 1234567',
  'list 10, 20, 30, 40, 50, 60, 70, 80',
  'eyJhbGci is no token, nor is eyJhIjoxfQ.eyJiIjoyfQ.c2ln',
  'www.example.com a.b.c eyes.eye.ey',
  '-----BEGIN CERTIFICATE-----\nMIIB\n-----END CERTIFICATE-----',
  '-----BEGIN PUBLIC KEY----- of a private key',
  '9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08',
  'AKIA AKIAIOSFODNN7EXAMPLEX xAKIAIOSFODNN7EXAMPLE',
  'Basic authentication failed, bearer authentication too, Basic cooking',
  'WWW-Authenticate: Bearer realm="x"',
  'http://host:8080/a@b mailto:a@b http://host/path?x=a:b@c',
  'see http://example.com/:x and user@host',
  'invalid token in line 3, tokens=512 max_tokens: 100 token_count=7',
  'Failed password for root from 10.0.0.1 port 22',
  'secretName: tls passwordless=true the secret is out',
  'PWD=/app {"pwd_age":3}',
  '{"password":null,"token":true,"secret":""}',
  'password=**** token=[REDACTED] secret=null',
  'compare a->token and --token-file /x',
  '{"level":"info","message":"GET /","status":200}',
];

const unicode = (text: string, slash = '\\') =>
  Array.from(text, (each) => `${slash}u${each.charCodeAt(0).toString(16).padStart(4, '0')}`).join('');

/** A line and what must not be in what becomes of it, however it is decoded. */
export const evasions: readonly (readonly [string, string])[] = [
  ['{"passwo\\u0072d":"hunter2"}', 'hunter2'],
  [`{"${unicode('password')}":"hunter2"}`, 'hunter2'],
  [`{"n":"${unicode('4111111111111111')}"}`, '4111111111111111'],
  ['{"n":"4111\\u00201111 1111\\u002d1111 4111 1111 1111\\u00201111"}', '4111 1111 1111 1111'],
  [`{"t":"${token.replace('.', '\\u002e')}"}`, token.slice(0, 20)],
  ['{"u":"https:\\/\\/u:hunter2@h"}', 'hunter2'],
  ['{"u":"https:\\u002f/u:hunter2\\u0040h"}', 'hunter2'],
  [`{"m":"{\\"${unicode('secret', '\\\\')}\\":\\"hunter2\\"}"}`, 'hunter2'],
  ['{"a":{"b":[{"Client-Secret":{"deep":"hunter2"}}]}}', 'hunter2'],
  ['{"PASSWORD":["hunter2"]}', 'hunter2'],
  ['{"4111111111111111":1}', '4111111111111111'],
  ['{"__proto__":{"password":"hunter2"}}', 'hunter2'],
  ['{"password":null,"password":"hunter2"}', 'hunter2'],
  ['password = \t hunter2', 'hunter2'],
  ['pass\\u0077ord=hunter2', 'hunter2'],
  [`Bearer ${token}${token}`, token.slice(-10)],
  ['{"k":"-----BEGIN PRIVATE KEY-----\\\\nAAAAhunter2AAAA"}', 'hunter2'],
];
