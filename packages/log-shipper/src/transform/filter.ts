import { ParameterProblem } from '@outrigger/core';
import { parseCondition } from '../condition/parse-condition.ts';
import { condition } from './condition-parameter.ts';
import { defineTransform } from './transform.ts';
import { ViewOf } from './view.ts';

export const filter = defineTransform({
  summary: 'Keeps or drops records by a condition',
  parameters: {
    keep: condition({ help: 'Records for which this does not hold are dropped', example: 'level>=info' }),
    drop: condition({ help: 'Records for which this holds are dropped', example: 'field.path~^/health' }),
  },
  check({ keep, drop }) {
    if (keep === undefined && drop === undefined)
      throw new ParameterProblem('transformFilterKeep', 'is needed, or a condition of what to drop');
  },
  open({ keep, drop }) {
    const kept = keep === undefined ? undefined : parseCondition(keep);
    const left = drop === undefined ? undefined : parseCondition(drop);
    return {
      needs: kept?.needs === 'fields' || left?.needs === 'fields' ? 'fields' : 'bytes',
      apply(records) {
        const view = new ViewOf(records);
        for (; view.index < records.count; view.index++)
          if ((kept && !kept.holds(view)) || left?.holds(view)) records.drop(view.index, 'filter');
      },
    };
  },
});
