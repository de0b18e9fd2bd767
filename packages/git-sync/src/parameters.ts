import { boolean, duration, integer, path, secret, text } from '@outrigger/core';
import { reference } from './reference.ts';
import { repository } from './repository.ts';

/** The names of kubernetes/git-sync v4: `--period` is GITSYNC_PERIOD there. */
const v4 = (name: string) => ({ env: [`GITSYNC_${name}`] });

export const parameters = {
  repo: repository({
    help: 'The repository to follow',
    example: 'https://example.com/team/site.git',
    aliases: v4('REPO'),
  }),
  ref: reference({
    default: 'HEAD',
    help: 'The branch, tag or full commit hash to follow; a tag goes before a branch of the same name',
    aliases: v4('REF'),
  }),
  root: path({
    help: 'The directory to work in, made when missing; a volume shared with the application',
    example: '/git',
    aliases: v4('ROOT'),
  }),
  link: path({
    optional: true,
    help: 'The symlink to publish, absolute or relative to --root; by default the last part of --repo',
    aliases: v4('LINK'),
  }),
  depth: integer({ default: '1', min: 0, help: 'How many commits to fetch; 0 for all', aliases: v4('DEPTH') }),
  period: duration({
    default: '10s',
    min: '10ms',
    max: '7d',
    reloadable: true,
    help: 'How long to wait between two polls; after a failure the waits grow from 500ms to 30s',
    aliases: v4('PERIOD'),
  }),
  syncTimeout: duration({
    default: '2m',
    min: '10ms',
    max: '7d',
    reloadable: true,
    help: 'How long one poll with all that follows from it may take',
    aliases: v4('SYNC_TIMEOUT'),
  }),
  oneTime: boolean({
    default: 'false',
    help: 'Exit after the first success',
    aliases: v4('ONE_TIME'),
  }),
  maxFailures: integer({
    optional: true,
    reloadable: true,
    help: 'How many failures in a row to bear before exiting 1, -1 for any number; by default -1, with --one-time 0',
    aliases: v4('MAX_FAILURES'),
  }),
  username: text({ optional: true, help: 'User name for http(s)', aliases: v4('USERNAME') }),
  password: secret({
    optional: true,
    help: 'Password or token for http(s), sent to the host of --repo only',
    aliases: { env: ['GITSYNC_PASSWORD_FILE', 'GITSYNC_PASSWORD'] },
  }),
  git: text({ default: 'git', help: 'The git program', aliases: v4('GIT') }),
};
