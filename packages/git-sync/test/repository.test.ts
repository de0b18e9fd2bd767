import { describe, expect, test } from 'vitest';
import { parseRepository } from '../src/repository.ts';

describe('the address of the repository', () => {
  test('credentials are taken out of the URL and decoded', () => {
    expect(parseRepository('https://me:p%40ss@example.com:8443/team/site.git')).toEqual({
      url: 'https://example.com:8443/team/site.git',
      protocols: 'https',
      origin: 'https://example.com:8443',
      credential: { username: 'me', password: 'p@ss' },
      leaf: 'site.git',
    });
  });

  test.each([
    ['/srv/git/site.git', 'site.git'],
    ['file:///srv/git/site.git/', 'site.git'],
    ['https://example.com/team/site', 'site'],
  ])('%s is published as %s unless --link says otherwise, as in git-sync v4', (written, leaf) => {
    expect(parseRepository(written).leaf).toBe(leaf);
  });

  test('one transport is allowed, and only what http redirects to beside it', () => {
    expect(parseRepository('/srv/site.git').protocols).toBe('file');
    expect(parseRepository('https://example.com/site.git').protocols).toBe('https');
    expect(parseRepository('http://example.com/site.git').protocols).toBe('http:https');
  });

  test.each([
    '--upload-pack=touch /tmp/owned',
    '-oProxyCommand=touch /tmp/owned',
    'ext::sh -c "touch /tmp/owned"',
    'fd::17',
    'https://-oProxyCommand=touch/site.git',
    'ssh://git@example.com/site.git',
    'git@example.com:site.git',
    'ftp://example.com/site.git',
    'file://server/share/site.git',
    'relative/site.git',
    'https://example.com/site.git\nurl',
    'https://me:pass%0ahost=evil.example@example.com/site.git',
    '/srv/site.git\0',
    '',
  ])('%j is refused', (written) => {
    expect(() => parseRepository(written)).toThrow(/is expected/);
  });
});
