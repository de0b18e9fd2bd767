/** The text can not be edited without touching what is there. */
export class EditError extends Error {
  override readonly name = 'EditError';
  readonly line: number;
  readonly column: number;

  constructor(message: string, at: { readonly line: number; readonly column: number }) {
    super(message);
    this.line = at.line;
    this.column = at.column;
  }
}
