/** What the engine needs to know of a model: the type of each of its fields. */
export interface Model {
  readonly [field: string]: { readonly type: string; readonly relation: boolean };
}

export type Datamodel = Readonly<Record<string, Model>>;

const MODEL = /^model\s+(\w+)\s*\{([^]*?)^\}/gm;
const FIELD = /^\s*(\w+)\s+(\w+)(?:\[\]|\?)?(?:\s|$)/;

/** Reads the models of a Prisma schema. */
export function readDatamodel(schema: string): Datamodel {
  const bodies = [...schema.matchAll(MODEL)].map(([, name = "", body = ""]) => ({ name, body }));
  const names = new Set(bodies.map(({ name }) => name));
  return Object.fromEntries(
    bodies.map(({ name, body }) => {
      const fields = body.split("\n").flatMap((line) => {
        const [, field, type] = FIELD.exec(line) ?? [];
        return field === undefined || type === undefined ? [] : [[field, { type, relation: names.has(type) }] as const];
      });
      return [name, Object.fromEntries(fields)];
    }),
  );
}

/** The schema as Prisma 7 takes it: where the database is, and what is generated, are no longer said there. */
export function forCompiler(schema: string): string {
  const withoutGenerators = schema.replace(/^generator\s+\w+\s*\{[^]*?^\}/gm, "");
  return withoutGenerators.replace(/^datasource\s+\w+\s*\{[^]*?^\}/m, (block) =>
    block.replace(/^\s*(url|directUrl|shadowDatabaseUrl)\s*=.*$/gm, ""),
  );
}
