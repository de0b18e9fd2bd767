// Characters that some readers of YAML, CEL or JSON in YAML take for the end of a line, or for none: written as escapes,
// which all of them have in common.

export const unprintable = /[\u007f-\u009f\u2028\u2029\ufeff\ufffe\uffff]/g;

/** For text whose strings stand between double quotes. */
export const escapeUnprintable = (text: string): string =>
  text.replace(unprintable, (character) => `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`);
