// Second stage: bytes to a tree. fast-xml-parser builds the tree; what it leaves unchecked is checked before it (guard.ts).

import { XMLParser } from 'fast-xml-parser';
import { decodeText, type Repair } from './encoding.ts';
import { errors } from './errors.ts';
import { guard } from './guard.ts';
import { buildTree, type Document, type Parsed } from './tree.ts';

export type Decoded = { readonly document: Document; readonly repairs: readonly Repair[] };

// Names become keys of objects: a character that no XML name has keeps `__proto__` and `constructor` ordinary names.
const shield = { element: '<', attribute: '@', text: '#' } as const;

const parser = new XMLParser({
  preserveOrder: true,
  ignoreAttributes: false,
  attributeNamePrefix: shield.attribute,
  textNodeName: shield.text,
  // Of an empty element the name is passed through here twice.
  transformTagName: (name) => (name.startsWith(shield.element) ? name : `${shield.element}${name}`),
  // "1.10" is a version and "007" a name: only a rule knows what is a number.
  parseTagValue: false,
  parseAttributeValue: false,
  trimValues: false,
  ignorePiTags: true,
  jPath: false,
  maxNestedTags: Number.MAX_SAFE_INTEGER,
  // The library leaves &#40; as it is and keeps a table of entities; here only characters can be referred to.
  processEntities: true,
  entityDecoder: {
    decode: decodeReferences,
    reset: ignore,
    addInputEntities: ignore,
    setExternalEntities: ignore,
    setXmlVersion: ignore,
  },
});

function ignore(): void {
  // Nothing is kept between documents: guard has refused every declaration that could be.
}

export function decode(bytes: Uint8Array, charset?: string): Decoded {
  const { text, repairs } = decodeText(bytes, charset);
  const clean = guard(text);
  return { document: buildTree(parse(clean), shield), repairs };
}

function parse(text: string): Parsed[] {
  try {
    return parser.parse(text) as Parsed[];
  } catch (error) {
    throw errors.ADAPTER_DOCUMENT_MALFORMED({ position: 'an unknown place', detail: (error as Error).message }, error);
  }
}

const characters: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decodeReferences(text: string): string {
  if (!text.includes('&')) return text;
  return text.replace(/&(?:#(\d+)|#x([\da-fA-F]+)|(\w+));/g, (whole, decimal, hex, name) => {
    if (name) return characters[name] ?? whole;
    return String.fromCodePoint(decimal ? Number(decimal) : Number.parseInt(hex, 16));
  });
}
