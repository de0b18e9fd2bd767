// The document as XPath sees it: nodes with parents, namespaces by URI, document order. Everything after the parser
// works on this, so that neither the parser nor the path engine is known anywhere else.

export type Document = {
  readonly kind: 'document';
  readonly parent: undefined;
  readonly children: Node[];
  readonly order: 0;
};

export type Element = {
  readonly kind: 'element';
  readonly parent: Element | Document;
  /** The local name; `namespace` is '' for none. */
  readonly name: string;
  readonly namespace: string;
  readonly attributes: Attribute[];
  readonly children: Node[];
  readonly order: number;
};

export type Attribute = {
  readonly kind: 'attribute';
  readonly parent: Element;
  readonly name: string;
  readonly namespace: string;
  readonly value: string;
  readonly order: number;
};

export type Text = { readonly kind: 'text'; readonly parent: Element; readonly value: string; readonly order: number };

/** What an element holds. */
type Node = Element | Text;
export type AnyNode = Document | Element | Attribute | Text;

/** What fast-xml-parser makes with `preserveOrder`: one key for the name, and `:@` for the attributes. */
export type Parsed = Readonly<Record<string, unknown>>;
export type Shield = { readonly element: string; readonly attribute: string; readonly text: string };

type Scope = ReadonlyMap<string, string>;

const rootScope: Scope = new Map([['xml', 'http://www.w3.org/XML/1998/namespace']]);

/** Recursion is as deep as the document, and guard has bounded that. */
export function buildTree(parsed: readonly Parsed[], shield: Shield): Document {
  const document: Document = { kind: 'document', parent: undefined, children: [], order: 0 };
  let order = 0;

  const add = (nodes: readonly Parsed[], parent: Element | Document, scope: Scope) => {
    for (const node of nodes) {
      const key = nameOf(node);
      if (key.startsWith(shield.element)) parent.children.push(element(key, node, parent, scope));
      else if (parent.kind === 'element')
        parent.children.push({ kind: 'text', parent, value: node[key] as string, order: ++order });
    }
  };

  const element = (key: string, node: Parsed, parent: Element | Document, outer: Scope): Element => {
    const written = (node[attributesKey] ?? {}) as Readonly<Record<string, string>>;
    const scope = declared(written, shield, outer);
    const { name, namespace } = resolve(key.slice(shield.element.length), scope, scope.get('') ?? '');
    const made: Element = { kind: 'element', parent, name, namespace, attributes: [], children: [], order: ++order };
    for (const key in written) {
      const attribute = key.slice(shield.attribute.length);
      if (isDeclaration(attribute)) continue;
      // An attribute without a prefix is in no namespace, whatever the default is.
      const { name, namespace } = resolve(attribute, scope, '');
      made.attributes.push({ kind: 'attribute', parent: made, name, namespace, value: written[key]!, order: ++order });
    }
    add(node[key] as Parsed[], made, scope);
    return made;
  };

  add(parsed, document, rootScope);
  return document;
}

const attributesKey = ':@';

// A loop and not Object.keys: this runs for every node of the document.
function nameOf(node: Parsed): string {
  for (const key in node) if (key !== attributesKey) return key;
  return '';
}

const isDeclaration = (attribute: string) => attribute === 'xmlns' || attribute.startsWith('xmlns:');

function declared(written: Readonly<Record<string, string>>, shield: Shield, outer: Scope): Scope {
  let scope: Map<string, string> | undefined;
  for (const key in written) {
    const attribute = key.slice(shield.attribute.length);
    if (!isDeclaration(attribute)) continue;
    scope ??= new Map(outer);
    scope.set(attribute.slice('xmlns:'.length), written[key]!);
  }
  return scope ?? outer;
}

function resolve(written: string, scope: Scope, unprefixed: string): { name: string; namespace: string } {
  const colon = written.indexOf(':');
  if (colon < 0) return { name: written, namespace: unprefixed };
  const namespace = scope.get(written.slice(0, colon));
  // Old pages use prefixes that they never declare: the whole name then counts, and `*` still finds it.
  return namespace === undefined ? { name: written, namespace: '' } : { name: written.slice(colon + 1), namespace };
}

/** XPath's string-value: all the text inside. */
export function stringValue(node: AnyNode): string {
  if (node.kind === 'attribute' || node.kind === 'text') return node.value;
  let text = '';
  for (const child of node.children) text += stringValue(child);
  return text;
}

export function rootElement(document: Document): Element {
  return document.children.find((node) => node.kind === 'element') as Element;
}
