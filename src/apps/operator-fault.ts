/** A fault that the operator can mend: its message is all that is shown. */
export class OperatorFault extends Error {
  constructor(message: string, cause?: unknown) {
    super(message, { cause });
    this.name = "OperatorFault";
  }
}
