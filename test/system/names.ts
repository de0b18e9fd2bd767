// Names of what the tests make. They are global to the machine: those of one run must not be those of another.

import { randomBytes } from 'node:crypto';

const run = process.env.SYSTEM_TEST_RUN ?? randomBytes(3).toString('hex');
// For the processes of the same run.
process.env.SYSTEM_TEST_RUN = run;

/** Begins every name of this run. */
export const prefix = `outrigger-test-${run}`;

/** What the images' names begin with. While they are worked on, another one keeps them apart from those others run. */
export const imagePrefix = process.env.IMAGE_PREFIX ?? 'outrigger';

let made = 0;

export const newName = () => `${prefix}-${process.pid}-${++made}`;
