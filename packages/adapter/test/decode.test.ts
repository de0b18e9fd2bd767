import { Fault } from '@outrigger/core';
import { describe, expect, test } from 'vitest';
import { decode } from '../src/decode.ts';
import { limits } from '../src/guard.ts';
import { type AnyNode, type Element, rootElement, stringValue } from '../src/tree.ts';

const utf16 = (text: string, swap = false) => {
  const bytes = Buffer.from(`\ufeff${text}`, 'utf16le');
  return swap ? bytes.swap16() : bytes;
};
const rootText = (bytes: Buffer | string, charset?: string) =>
  stringValue(rootElement(decode(Buffer.from(bytes as string), charset).document));

function refusal(document: Buffer | string): string {
  try {
    decode(Buffer.from(document as string));
  } catch (error) {
    if (error instanceof Fault) return `${error.code.replace('ADAPTER_DOCUMENT_', '')} ${error.fields.position ?? ''}`;
    throw error;
  }
  return 'accepted';
}

const laughs = `<?xml version="1.0"?>\n<!DOCTYPE l [\n<!ENTITY a "ha">\n<!ENTITY b "&a;&a;&a;">\n]>\n<l>&b;</l>`;
const many = (count: number, text: string) => text.repeat(count);

// Each line: what it is, the document, what comes of it (with the place where it goes wrong).
const hostile: readonly (readonly [what: string, document: Buffer | string, outcome: string])[] = [
  ['nested entities', laughs, 'ENTITY 3:1'],
  ['one big entity', `<!DOCTYPE l [<!ENTITY a "${many(10_000, 'x')}">]><l>${many(1000, '&a;')}</l>`, 'ENTITY 1:14'],
  ['a file as entity', '<!DOCTYPE l [<!ENTITY x SYSTEM "file:///etc/passwd">]><l>&x;</l>', 'ENTITY 1:14'],
  ['a URL as entity', '<!DOCTYPE l [<!ENTITY x SYSTEM "http://203.0.113.1/">]><l>&x;</l>', 'ENTITY 1:14'],
  ['a public entity', '<!DOCTYPE l [<!ENTITY x PUBLIC "p" "http://203.0.113.1/">]><l/>', 'ENTITY 1:14'],
  ['a parameter entity', '<!DOCTYPE l [<!ENTITY % p SYSTEM "http://203.0.113.1/"> %p;]><l/>', 'ENTITY 1:14'],
  ['a reference to a parameter entity', '<!DOCTYPE l [ %p; ]><l/>', 'ENTITY 1:15'],
  ['an entity behind a comment', '<!DOCTYPE l [<!-- ]> --><!ENTITY a "b">]><l/>', 'ENTITY 1:25'],
  ['an unknown entity', '<l>&x;</l>', 'MALFORMED 1:4'],
  ['an unknown entity in an attribute', '<l a="&x;"/>', 'MALFORMED 1:7'],
  ['a DOCTYPE with an external id', '<!DOCTYPE l PUBLIC "-//X//Y" "http://203.0.113.1/x.dtd"><l/>', 'accepted'],
  ['a DOCTYPE with declarations', '<!DOCTYPE l [<!ELEMENT l (#PCDATA)><!NOTATION n SYSTEM "x">]><l/>', 'accepted'],
  ['two DOCTYPEs', '<!DOCTYPE l><!DOCTYPE l><l/>', 'MALFORMED 1:13'],
  ['a DOCTYPE after the root', '<l/><!DOCTYPE l>', 'MALFORMED 1:5'],
  ['a DOCTYPE without an end', '<!DOCTYPE l [ <l/>', 'MALFORMED 1:15'],
  ['as deep as is allowed', many(limits.depth, '<a>') + many(limits.depth, '</a>'), 'accepted'],
  ['one level deeper', many(limits.depth + 1, '<a>') + many(limits.depth + 1, '</a>'), 'LIMIT 1:193'],
  ['a hundred thousand levels', many(100_000, '<a>'), 'LIMIT 1:193'],
  ['a million siblings', `<l>${many(1_000_000, '<a/>')}</l>`, 'LIMIT 1:1000000'],
  ['too many attributes', `<l ${Array.from({ length: 300 }, (_, i) => `a${i}="1"`).join(' ')}/>`, 'LIMIT 1:1'],
  ['an empty body', '', 'EMPTY '],
  ['white space only', ' \n\t ', 'EMPTY '],
  ['text only', 'OK', 'MALFORMED 1:1'],
  ['JSON', '{"status":"ok"}', 'MALFORMED 1:1'],
  ['a comment only', '<!-- nothing -->', 'MALFORMED 1:1'],
  ['HTML as people write it', '<html><body><p>Log in<br></body></html>', 'MALFORMED 1:26'],
  ['a second root', '<a/><b/>', 'MALFORMED 1:5'],
  ['a second root after a long one', '<a></a>\n<a></a>', 'MALFORMED 2:1'],
  ['text behind the root', '<a/>tail', 'MALFORMED 1:5'],
  ['a CDATA section behind the root', '<a/><![CDATA[x]]>', 'MALFORMED 1:5'],
  ['crossed tags', '<a><b></a></b>', 'MALFORMED 1:7'],
  ['an end tag too many', '<a></a></a>', 'MALFORMED 1:8'],
  ['an end tag missing', '<a><b></b>', 'MALFORMED 1:11'],
  ['a repeated attribute', '<a x="1"\n y="2" x="3"/>', 'MALFORMED 2:7'],
  ['an attribute without quotes', '<a x=1/>', 'MALFORMED 1:3'],
  ['an attribute without a value', '<a x/>', 'MALFORMED 1:3'],
  ['attributes without a space between', '<a x="1"y="2"/>', 'MALFORMED 1:9'],
  ['an attribute that does not end', '<a x="1></a>', 'MALFORMED 1:3'],
  ['"<" in an attribute', '<a x="<"/>', 'MALFORMED 1:3'],
  ['a bare "&"', '<a>R&D</a>', 'MALFORMED 1:5'],
  ['a bare "&" in an attribute', '<a x="R&D"/>', 'MALFORMED 1:8'],
  ['"&" where it means nothing', '<a><!-- R&D --><?x R&D?><![CDATA[R&D]]></a>', 'accepted'],
  ['a reference to a NUL', '<a>&#0;</a>', 'MALFORMED 1:4'],
  ['a reference to a surrogate', '<a>&#xD800;</a>', 'MALFORMED 1:4'],
  ['a reference beyond Unicode', '<a>&#x110000;</a>', 'MALFORMED 1:4'],
  ['a reference without an end', '<a>&#65</a>', 'MALFORMED 1:4'],
  ['a control character', '<a>\u0007</a>', 'MALFORMED 1:4'],
  ['"<" before no name', '<a>< b></a>', 'MALFORMED 1:5'],
  ['a name that starts with a digit', '<1a/>', 'MALFORMED 1:2'],
  ['a comment that does not end', '<a><!-- </a>', 'MALFORMED 1:8'],
  ['an unclosed CDATA section', '<a><![CDATA[ ]]</a>', 'MALFORMED 1:13'],
  ['a processing instruction that does not end', '<a><?x </a>', 'MALFORMED 1:6'],
  ['two XML declarations', '<?xml version="1.0"?>\n<?xml version="1.0"?><a/>', 'MALFORMED 2:1'],
  ['an unknown encoding', '<?xml version="1.0" encoding="klingon-1"?><a/>', 'ENCODING '],
  [
    'an XInclude and a stylesheet',
    '<?xml-stylesheet href="http://203.0.113.1/"?><a><i:include xmlns:i="u" href="file:///etc/passwd"/></a>',
    'accepted',
  ],
];

describe('a document that is hostile or broken', () => {
  test.each(hostile)('%s', (_, document, outcome) => {
    expect(refusal(document)).toBe(outcome);
  });

  test('is refused at every length but the full one', () => {
    const whole =
      '<?xml version="1.0"?><!DOCTYPE s [<!ELEMENT s ANY>]><!-- c --><s a="&lt;1"><t b=\'2\'>x&#65;y</t><u/><![CDATA[z]]></s>';
    for (let length = 0; length < whole.length; length++)
      expect(refusal(whole.slice(0, length)), whole.slice(0, length)).not.toBe('accepted');
    expect(refusal(whole)).toBe('accepted');
  });

  test('is refused in time that grows with its length only', () => {
    const million = 1_000_000;
    const documents = [
      `<a ${many(million, ' ')}`,
      `<a>${many(million / 4, '&lt')}</a>`,
      `<a x="${many(million, '&amp;')}`,
      `<!DOCTYPE a [${many(million / 2, '<!')}`,
      `<a>${many(million / 3, ']]>')}`,
      `<${many(million, 'n')}`,
      `<a ${many(million / 4, "a='")}`,
    ];
    for (const document of documents) {
      const from = process.cpuUsage();
      expect(refusal(document)).toMatch(/^(MALFORMED|LIMIT)/);
      const { user } = process.cpuUsage(from);
      expect(user / 1000, document.slice(0, 20)).toBeLessThan(1500);
    }
  });

  test('with a million references is read in time that grows with its length only', () => {
    const text = rootText(`<a>${many(500_000, '&#65;')}</a>`);
    expect(text.length).toBe(500_000);
  });
});

describe('encodings', () => {
  const german = '<?xml version="1.0" encoding="ISO-8859-1"?><a>Grüße</a>';
  test.each<[string, Buffer | string, string?]>([
    ['UTF-8 without a word', '<a>Grüße</a>'],
    ['UTF-8 with a mark', '\ufeff<?xml version="1.0"?><a>Grüße</a>'],
    ['UTF-8 with a mark against the declaration', `\ufeff${german}`],
    ['blank lines before the declaration', '\n \r\n<?xml version="1.0"?><a>Grüße</a>'],
    ['ISO-8859-1 as declared', Buffer.from(german, 'latin1')],
    ['ISO-8859-1 in single quotes', Buffer.from("<?xml version='1.0' encoding='latin1'?><a>Grüße</a>", 'latin1')],
    ['ISO-8859-1 as HTTP says', Buffer.from('<a>Grüße</a>', 'latin1'), 'iso-8859-1'],
    ['HTTP before the declaration', Buffer.from(german), 'utf-8'],
    ['UTF-16 little endian', utf16('<?xml version="1.0" encoding="UTF-16"?><a>Grüße</a>')],
    ['UTF-16 big endian', utf16('<?xml version="1.0" encoding="UTF-16"?><a>Grüße</a>', true)],
    ['UTF-16 without a mark', utf16('<a>Grüße</a>').subarray(2)],
    ['UTF-16 against HTTP', utf16('<a>Grüße</a>'), 'utf-8'],
  ])('%s', (_, document, charset) => {
    const decoded = decode(Buffer.from(document as string), charset);
    expect(stringValue(rootElement(decoded.document))).toBe('Grüße');
    expect(decoded.repairs).toEqual([]);
  });

  test('a document that calls itself UTF-16 and is not is read, and counted', () => {
    const { document, repairs } = decode(Buffer.from('<?xml version="1.0" encoding="UTF-16"?><a>1</a>'));
    expect(stringValue(rootElement(document))).toBe('1');
    expect(repairs).toEqual(['wrong_encoding']);
  });

  test('bytes that are not UTF-8 cost the characters they are in, and are counted', () => {
    const { document, repairs } = decode(Buffer.from([...Buffer.from('<a>'), 0xff, 0x31, ...Buffer.from('</a>')]));
    expect(stringValue(rootElement(document))).toBe('\ufffd1');
    expect(repairs).toEqual(['invalid_bytes']);
  });
});

/** A document of random shape, with the tree that it has to become. */
function random(seed: number): { text: string; tree: unknown } {
  let state = seed;
  const below = (limit: number) => {
    state = (Math.imul(state, 1_103_515_245) + 12_345) & 0x7fffffff;
    return (state >> 8) % limit;
  };
  const pick = <T>(from: readonly T[]) => from[below(from.length)]!;
  const names = ['a', 'b1', 'constructor', '__proto__', 'toString', 'x-y.z', 'é', 'text', 'hasOwnProperty'];
  const pieces: [string, string][] = [
    ['x', 'x'],
    [' ', ' '],
    ['&lt;', '<'],
    ['&#x41;', 'A'],
    ['\r\n', '\n'],
    ['&amp;amp;', '&amp;'],
    ['=', '='],
    ['/', '/'],
    ['>', '>'],
    ["'", "'"],
  ];
  const words = () => Array.from({ length: below(4) }, () => pick(pieces));
  const element = (depth: number): { text: string; tree: unknown } => {
    const name = pick(names);
    const attributes = new Map(Array.from({ length: below(3) }, () => [pick(names), words()] as const));
    const children: unknown[] = [];
    let inside = '';
    for (let count = depth > 0 ? below(4) : 0; count > 0; count--) {
      const kind = below(5);
      if (kind === 0) inside += pick(['<!-- <no> & -->', '<?pi <no> &?>']);
      else if (kind === 1) {
        inside += '<![CDATA[<&x]]>';
        children.push('<&x');
      } else if (kind === 2) {
        const some = words();
        inside += some.map(([written]) => written).join('');
        children.push(some.map(([, meant]) => meant).join(''));
      } else {
        const child = element(depth - 1);
        inside += child.text;
        children.push(child.tree);
      }
    }
    const written = [...attributes]
      .map(([key, value]) => `${pick([' ', '\n\t'])}${key}${pick(['', ' '])}="${value.map(([w]) => w).join('')}"`)
      .join('');
    const tree = {
      name,
      attributes: [...attributes].map(([key, value]) => `${key}=${value.map(([, m]) => m).join('')}`),
      children: joined(children),
    };
    return {
      tree,
      text:
        inside === '' && below(2) ? `<${name}${written}${pick(['', ' '])}/>` : `<${name}${written}>${inside}</${name}>`,
    };
  };
  return element(4);
}

/** Neighbouring pieces of text are one. */
function joined(children: readonly unknown[]): unknown[] {
  const out: unknown[] = [];
  for (const child of children) {
    if (typeof child === 'string' && typeof out.at(-1) === 'string') out.push((out.pop() as string) + child);
    else out.push(child);
  }
  return out.filter((child) => child !== '');
}

const shape = (node: AnyNode): unknown =>
  node.kind === 'element'
    ? {
        name: node.name,
        attributes: node.attributes.map(({ name, value }) => `${name}=${value}`),
        children: joined((node as Element).children.map(shape)),
      }
    : stringValue(node);

test('two thousand documents of random shape become the trees that they were written from', () => {
  for (let seed = 1; seed <= 2000; seed++) {
    const { text, tree } = random(seed);
    expect(shape(rootElement(decode(Buffer.from(text)).document)), text).toEqual(tree);
  }
});
