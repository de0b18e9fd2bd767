import { list, text } from '@outrigger/core';
import type { Fields } from '../records.ts';
import { changeFields, fieldAt, namesOf, withField } from './fields.ts';
import { defineTransform } from './transform.ts';

/** What says that something is wrong with a record, or where it goes on, is not left out. */
const marks = ['partial', 'parse_error', 'truncated', 'suppressed', 'repeated'];

export const keepFields = defineTransform({
  summary: 'Removes all fields but some from every record',
  parameters: { names: list(text, { help: 'Fields to keep; dots lead into objects', example: 'message' }) },
  open({ names }) {
    const paths = [...names.map(namesOf), ...marks.map((mark) => [mark])];
    const change = (fields: Fields) =>
      paths.reduce<Fields>((kept, path) => {
        const value = fieldAt(fields, path);
        return value === undefined ? kept : withField(kept, path, value);
      }, {});
    return { needs: 'fields', apply: (records) => changeFields(records, change) };
  },
});
