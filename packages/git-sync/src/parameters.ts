import { boolean, duration, family, integer, path, program, secret, text, url } from '@outrigger/core';
import { notifiers } from '@outrigger/core/notifier';
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
    writes: true,
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
    help: 'Exit after the first success and one run of each hook',
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
  exechookCommand: program({
    optional: true,
    help: 'A program to run in the published tree after each change of the link, with GITSYNC_HASH; no arguments, no shell',
    aliases: v4('EXECHOOK_COMMAND'),
  }),
  exechookTimeout: duration({
    default: '30s',
    min: '1s',
    max: '1d',
    reloadable: true,
    help: 'How long it may take; it is ended then with all it started',
    aliases: v4('EXECHOOK_TIMEOUT'),
  }),
  exechookBackoff: duration({
    default: '3s',
    min: '1s',
    max: '1d',
    help: 'How long to wait after it failed before it is run again',
    aliases: v4('EXECHOOK_BACKOFF'),
  }),
  webhookUrl: url({
    optional: true,
    schemes: ['http', 'https'],
    help: 'A URL to request after each change of the link, with the header Gitsync-Hash',
    aliases: v4('WEBHOOK_URL'),
  }),
  webhookMethod: text({
    default: 'POST',
    pattern: /[A-Z]+/,
    expected: 'a method such as POST',
    help: 'Method of the request',
    aliases: v4('WEBHOOK_METHOD'),
  }),
  webhookSuccessStatus: integer({
    default: '200',
    min: -1,
    max: 599,
    help: 'Status of success; 0 for any',
    aliases: v4('WEBHOOK_SUCCESS_STATUS'),
  }),
  webhookTimeout: duration({
    default: '1s',
    min: '1s',
    max: '1d',
    reloadable: true,
    help: 'How long the answer may take',
    aliases: v4('WEBHOOK_TIMEOUT'),
  }),
  webhookBackoff: duration({
    default: '3s',
    min: '1s',
    max: '1d',
    help: 'How long to wait after it failed before it is sent again',
    aliases: v4('WEBHOOK_BACKOFF'),
  }),
  notify: family(notifiers, {
    repeatable: true,
    default: [],
    help: 'Further ways to tell of each change of the link, as those of config-reloader',
  }),
  notifyTimeout: duration({
    default: '10s',
    min: '10ms',
    max: '1h',
    reloadable: true,
    help: 'How long one attempt of --notify may take; failed ones are repeated with growing pauses of up to 30s',
  }),
  git: program({ default: 'git', help: 'The git program', aliases: v4('GIT') }),
};
