// Prints a document as it was written, where nothing was changed.

import { type Document, isMap, visit } from 'yaml';

export function printDocument(document: Document.Parsed, source: string): string {
  keepPadding(document, source);
  return document.toString({ lineWidth: 0 });
}

/** `[a]` or `[ a ]`: the library prints all collections of a document one way. */
function keepPadding(document: Document.Parsed, source: string): void {
  visit(document, {
    Collection: (_, node) => {
      if (!node.flow) return;
      // A mapping that is new is padded, a list is not: as most people write them.
      const written = node.range ? /^[[{]\s/.test(source.slice(node.range[0])) : isMap(node);
      const print = node.toString.bind(node);
      node.toString = (context, ...rest) =>
        print(context && { ...context, flowCollectionPadding: written ? ' ' : '' }, ...rest);
    },
  });
}
