/** A failure under the code by which callers of Prisma's command tell it from others. */
export class SchemaError extends Error {
  constructor(code: string, message: string) {
    super(`Error: ${code}\n${message}`);
  }
}
