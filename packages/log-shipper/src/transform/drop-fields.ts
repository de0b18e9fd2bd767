import { list, text } from '@outrigger/core';
import type { Fields } from '../records.ts';
import { changeFields, namesOf, withoutField } from './fields.ts';
import { defineTransform } from './transform.ts';

export const dropFields = defineTransform({
  summary: 'Removes fields from every record',
  parameters: { names: list(text, { help: 'Fields to remove; dots lead into objects', example: 'http.headers' }) },
  open({ names }) {
    const paths = names.map(namesOf);
    const change = (fields: Fields) => paths.reduce(withoutField, fields);
    return { needs: 'fields', apply: (records) => changeFields(records, change) };
  },
});
