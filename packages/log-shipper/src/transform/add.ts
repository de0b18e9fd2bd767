import { map, text } from '@outrigger/core';
import { defineTransform } from './transform.ts';

export const add = defineTransform({
  summary: 'Adds fields to every record',
  parameters: { fields: map(text, { help: 'Fields to add, such as service=billing', example: 'service=billing' }) },
  open: ({ fields }) => ({
    needs: 'bytes',
    apply(records) {
      records.common = { ...records.common, ...fields };
    },
  }),
});
