import { counter, gauge } from '@outrigger/core';

export const metrics = {
  rounds: counter({ help: 'Rounds of work, by outcome', labels: ['outcome'] }),
  // Its age is time() minus this, whoever asks and whenever.
  lastSuccess: gauge({ unit: 'timestamp_seconds', help: 'When a round of work last succeeded, since the epoch' }),
};
