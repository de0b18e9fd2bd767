// YAML as every reader takes it: Kubernetes and Compose know older rules, by which no, on and 1:30 are not texts, and U+0085
// ends a line.

import { Document, isScalar, visit } from 'yaml';
import { escapeUnprintable, unprintable } from './unprintable.ts';

/** @param flow how long a list of plain values may be to stand in one line. */
export function printYaml(value: unknown, { comment, flow = 0 }: { comment?: string; flow?: number } = {}): string {
  const document = value instanceof Document ? value : newDocument(value);
  if (comment !== undefined) document.commentBefore = comment;
  visit(document, {
    Scalar: (_, scalar) => {
      if (typeof scalar.value === 'string' && scalar.value.search(unprintable) >= 0) scalar.type = 'QUOTE_DOUBLE';
    },
    Seq: (_, list) => {
      list.flow = list.items.every(isScalar) && String(list).length < flow;
    },
  });
  return escapeUnprintable(document.toString({ lineWidth: 0, flowCollectionPadding: false }));
}

export const newDocument = (value: unknown): Document => new Document(value, { compat: 'yaml-1.1' });
