import { map, text } from '@outrigger/core';
import type { Fields } from '../records.ts';
import { changeFields, fieldAt, type Names, namesOf, withField, withoutField } from './fields.ts';
import { defineTransform } from './transform.ts';

export const rename = defineTransform({
  summary: 'Renames fields',
  parameters: {
    fields: map(text, {
      help: 'Old and new names, such as msg=message; dots lead into objects: http.status=status',
      example: 'msg=message',
    }),
  },
  open({ fields }) {
    const moves = Object.entries(fields).map(([from, to]): [Names, Names] => [namesOf(from), namesOf(to)]);
    const change = (found: Fields) => moves.reduce((at, [from, to]) => move(at, from, to), found);
    return { needs: 'fields', apply: (records) => changeFields(records, change) };
  },
});

/** What had the new name before is replaced. */
function move(fields: Fields, from: Names, to: Names): Fields {
  const value = fieldAt(fields, from);
  return value === undefined ? fields : withField(withoutField(fields, from), to, value);
}
