import { noopTracingHelper, QueryInterpreter, TransactionManager } from "@prisma/client-engine-runtime";
import { PrismaPg } from "@prisma/adapter-pg";
import { openCompiler } from "./compiler.ts";
import { forCompiler, readDatamodel } from "./datamodel.ts";
import { type NamedQuery, readQueries } from "./graphql.ts";
import { openPool } from "./pool.ts";
import { plainResult, rawResult } from "./results.ts";
import { withFields } from "./unique.ts";

export interface TransactionOptions {
  readonly maxWait: number;
  readonly timeout: number;
}

/** Answers queries in the GraphQL of Prisma 5's engine; inside a transaction where one is named. */
export interface Engine {
  query(text: string, transaction?: string): Promise<Record<string, unknown>>;
  /** All of them or none. */
  batch(texts: readonly string[], transaction?: string): Promise<Record<string, unknown>[]>;
  begin(options: TransactionOptions): Promise<string>;
  commit(transaction: string): Promise<void>;
  rollback(transaction: string): Promise<void>;
  close(): Promise<void>;
}

export async function openEngine(schema: string, databaseUrl: string): Promise<Engine> {
  const datamodel = readDatamodel(schema);
  const compile = await openCompiler(forCompiler(schema));
  const pool = openPool(databaseUrl);
  const adapter = await new PrismaPg(pool, { disposeExternalPool: true }).connect();
  const base = { tracingHelper: noopTracingHelper, provider: "postgres" } as const;
  const interpreter = QueryInterpreter.forSql({ ...base, connectionInfo: adapter.getConnectionInfo() });
  const manager = new TransactionManager({ ...base, driverAdapter: adapter, transactionOptions: {} });

  const run = async ({ query }: NamedQuery, transaction?: string): Promise<unknown> => {
    const plan = compile(query);
    const queryable = transaction ? await manager.getTransaction({ id: transaction }, query.action) : adapter;
    const transactionManager = transaction ? ({ enabled: false } as const) : ({ enabled: true, manager } as const);
    const result = await interpreter
      .run(plan, { queryable, transactionManager, scope: {} })
      .catch(async (error: unknown) => Promise.reject(await withFields(error, pool)));
    return query.action === "queryRaw" ? rawResult(result) : plainResult(result);
  };
  const query = async (text: string, transaction?: string): Promise<Record<string, unknown>> => {
    const results: Record<string, unknown> = {};
    for (const each of readQueries(text, datamodel)) results[each.name] = await run(each, transaction);
    return results;
  };
  const allOf = async (texts: readonly string[], transaction: string): Promise<Record<string, unknown>[]> => {
    const results: Record<string, unknown>[] = [];
    for (const text of texts) results.push(await query(text, transaction));
    return results;
  };
  return {
    query,
    async batch(texts, transaction) {
      if (transaction !== undefined) return allOf(texts, transaction);
      const { id } = await manager.startInternalTransaction();
      try {
        const results = await allOf(texts, id);
        await manager.commitTransaction(id);
        return results;
      } catch (error) {
        await manager.rollbackTransaction(id);
        throw error;
      }
    },
    begin: async (options) => (await manager.startTransaction(options)).id,
    commit: (transaction) => manager.commitTransaction(transaction),
    rollback: (transaction) => manager.rollbackTransaction(transaction),
    async close() {
      await manager.cancelAllTransactions();
      await adapter.dispose();
    },
  };
}
