// Adds to the text of a manifest, and takes out again what was added. The document is never printed anew: whatever is not
// added stays as it was written, byte for byte.

import type { Addition } from '../addition.ts';
import { EditError } from './error.ts';
import { insertionsOf } from './insert.ts';
import { planOf } from './plan.ts';
import { removalsOf } from './remove.ts';
import { splice } from './splice.ts';
import { styleOf } from './style.ts';
import { openTree, type Tree } from './tree.ts';

/**
 * @param documentIndex of those that hold something, as in a Source
 * @returns the text, and the places of what was added, for takeFrom
 * @throws EditError where that can not be done without touching what is there
 */
export function addTo(
  text: string,
  documentIndex: number,
  additions: readonly Addition[],
): { readonly text: string; readonly added: readonly string[] } {
  return edit(text, documentIndex, (tree) => {
    const plan = planOf(tree, additions);
    return { text: splice(text, insertionsOf(tree, plan, styleOf(text, tree.document))), added: plan.added };
  });
}

/**
 * @param added of one or several calls of addTo
 * @returns the text, and those of `added` that are not there any more
 */
export function takeFrom(
  text: string,
  documentIndex: number,
  added: readonly string[],
): { readonly text: string; readonly missing: readonly string[] } {
  return edit(text, documentIndex, (tree) => {
    const { splices, missing } = removalsOf(tree, added);
    return { text: splice(text, splices), missing };
  });
}

/** The YAML library, and what walks over its nodes, calls itself for each level. */
function edit<T>(text: string, documentIndex: number, work: (tree: Tree) => T): T {
  try {
    return work(openTree(text, documentIndex));
  } catch (error) {
    if (error instanceof RangeError) throw new EditError('Nested too deep', { line: 1, column: 1 });
    throw error;
  }
}
