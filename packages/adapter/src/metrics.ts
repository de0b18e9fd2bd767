import { counter, gauge } from '@outrigger/core';

// What concerns one scrape is a gauge, so that it can be read beside the series of that scrape.
export const metrics = {
  targetUp: gauge({ help: '1 when the last document was fetched and translated, 0 when its series are left out' }),
  targetErrors: counter({ help: 'Documents that could not be used, by error code', labels: ['code'] }),
  targetBreaker: gauge({
    help: '1 for the state: closed, open while a hanging target is left alone, half-open while one scrape tries it',
    labels: ['state'],
  }),
  targetBreakerChange: gauge({ unit: 'timestamp_seconds', help: 'Since when the target hangs, or does not' }),
  targetLastSuccess: gauge({ unit: 'timestamp_seconds', help: 'When the last good document came, since the epoch' }),
  fetchDuration: gauge({ unit: 'seconds', help: 'How long fetching the last document took' }),
  translateDuration: gauge({ unit: 'seconds', help: 'How long turning the last document into metrics took' }),
  documentSize: gauge({ unit: 'bytes', help: 'Size of the last document' }),
  documentRepairs: counter({
    help: 'Documents read although their encoding was wrong, by what was wrong',
    labels: ['reason'],
  }),
  series: gauge({ help: 'Series made from the last document' }),
  ruleErrors: counter({ help: 'Samples left out, by rule and reason', labels: ['rule', 'reason'] }),
};
