import { defineErrors } from '@outrigger/core';

export const errors = defineErrors({
  RATES_ROUND_FAILED: {
    message: 'A round of work failed: {reason}',
    hint: 'It is tried again after --period; GET /v1/rounds shows how often it failed',
  },
});
