// What clients are told, and what is counted and logged, when the application fails a request.

import type { Fault } from '@outrigger/core';
import type { Problem } from './answer.ts';
import { errors } from './errors.ts';

/** The application as its failures are written down. */
export type Failing = {
  readonly name: string;
  /** No connection has ever come up. */
  readonly starting: boolean;
  /** Counts it and logs it, the latter at most now and then. */
  complain(reason: string, fault?: Fault): void;
};

/** No connection came about. The pool says so in the log, once per outage. */
export function unreachable(application: Failing): Problem {
  application.complain('connect');
  return application.starting
    ? { status: 503, code: 'PROXY_UPSTREAM_STARTING', detail: 'The application has not started yet; try again' }
    : { status: 502, code: 'PROXY_UPSTREAM_DOWN', detail: 'The application cannot be reached' };
}

/** @param race nothing of the response was there, on a connection that had been idle before. */
export function broken(application: Failing, race: boolean, error: NodeJS.ErrnoException | undefined): Problem {
  const { name } = application;
  application.complain(race ? 'keepalive_race' : 'closed', errors.PROXY_UPSTREAM_CLOSED({ upstream: name }, error));
  return {
    status: 502,
    code: 'PROXY_UPSTREAM_CLOSED',
    detail: 'The application closed the connection before its response was complete',
  };
}

export function invalid(application: Failing, detail: string): Problem {
  application.complain('invalid', errors.PROXY_UPSTREAM_INVALID({ upstream: application.name, detail }));
  return { status: 502, code: 'PROXY_UPSTREAM_INVALID', detail: 'The response of the application is not valid' };
}

export function late(application: Failing): Problem {
  application.complain('timeout', errors.PROXY_UPSTREAM_TIMEOUT({ upstream: application.name }));
  return { status: 504, code: 'PROXY_UPSTREAM_TIMEOUT', detail: 'The application did not answer in time' };
}
