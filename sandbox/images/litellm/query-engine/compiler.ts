import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import type { QueryPlanNode } from "@prisma/client-engine-runtime";
import type { JsonQuery } from "./graphql.ts";

const PACKAGE = "@prisma/query-compiler-wasm/postgresql/query_compiler_fast_bg";

/** Node has it; the types that this project is checked with are those of no browser. */
declare const WebAssembly: {
  instantiate(program: Uint8Array, imports: object): Promise<{ instance: { exports: Record<string, unknown> } }>;
};

interface Bindings {
  __wbg_set_wasm(exports: object): void;
  readonly QueryCompiler: new (parameters: {
    readonly datamodel: string;
    readonly provider: "postgres";
    readonly connectionInfo: { readonly supportsRelationJoins: boolean };
  }) => { compile(query: string): QueryPlanNode };
}

/** Prisma's own query compiler, for a schema. */
export async function openCompiler(schema: string): Promise<(query: JsonQuery) => QueryPlanNode> {
  const bindings = (await import(`${PACKAGE}.js`)) as Bindings;
  const program = readFileSync(createRequire(import.meta.url).resolve(`${PACKAGE}.wasm`));
  const { instance } = await WebAssembly.instantiate(program, { "./query_compiler_fast_bg.js": bindings });
  bindings.__wbg_set_wasm(instance.exports);
  (instance.exports["__wbindgen_start"] as () => void)();
  const compiler = new bindings.QueryCompiler({
    datamodel: schema,
    provider: "postgres",
    connectionInfo: { supportsRelationJoins: true },
  });
  return (query) => compiler.compile(JSON.stringify(query));
}
