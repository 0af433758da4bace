import { type ArgumentNode, type FieldNode, Kind, parse, type SelectionSetNode, type ValueNode } from "graphql";
import type { Datamodel } from "./datamodel.ts";

/** A query in Prisma's JSON protocol, which its query compiler takes. */
export interface JsonQuery {
  readonly modelName?: string;
  readonly action: string;
  readonly query: { readonly arguments: Readonly<Record<string, unknown>>; readonly selection: Selection };
}

interface Selection {
  [field: string]: true | JsonQuery["query"];
}

/** A query with the name under which its result is expected. */
export interface NamedQuery {
  readonly name: string;
  readonly query: JsonQuery;
}

/** The longer ones first: `createManyAndReturn` begins with `createMany`. */
const ACTIONS = [
  "findUnique",
  "findFirst",
  "findMany",
  "createOne",
  "createManyAndReturn",
  "createMany",
  "updateOne",
  "updateManyAndReturn",
  "updateMany",
  "upsertOne",
  "deleteOne",
  "deleteMany",
  "aggregate",
  "groupBy",
].toSorted((a, b) => b.length - a.length);

/** What a value belongs to: a model's fields by name, or one field of this type. */
type Place = { readonly model: string } | { readonly type: string };

/** Parts of a filter on a JSON field whose values are not JSON themselves. */
const PLAIN_IN_JSON = new Set(["path", "mode", "string_contains", "string_starts_with", "string_ends_with"]);

/** Translates the GraphQL of Prisma 5's engine protocol, as far as generated clients use it. */
export function readQueries(text: string, datamodel: Datamodel): NamedQuery[] {
  const [operation] = parse(text, { noLocation: true }).definitions;
  if (operation?.kind !== Kind.OPERATION_DEFINITION) throw new Error("not a GraphQL query or mutation");
  return fields(operation.selectionSet).map((field) => ({
    name: field.alias?.value ?? field.name.value,
    query: readQuery(field, datamodel),
  }));
}

function readQuery(field: FieldNode, datamodel: Datamodel): JsonQuery {
  const name = field.name.value;
  if (name === "queryRaw" || name === "executeRaw") {
    return { action: name, query: { arguments: rawArguments(field), selection: {} } };
  }
  const action = ACTIONS.find((each) => name.startsWith(each));
  if (action === undefined) throw new Error(`unknown query ${name}`);
  const [, model = "", orThrow = ""] = /^(\w+?)(OrThrow)?$/.exec(name.slice(action.length)) ?? [];
  if (datamodel[model] === undefined) throw new Error(`unknown model in the query ${name}`);
  return { modelName: model, action: action + orThrow, query: readBody(field, model, datamodel) };
}

function readBody(field: FieldNode, model: string, datamodel: Datamodel): JsonQuery["query"] {
  return {
    arguments: Object.fromEntries(
      (field.arguments ?? []).map(({ name, value }) => [name.value, readValue(value, { model }, datamodel)]),
    ),
    selection: readSelection(field.selectionSet, model, datamodel),
  };
}

function readSelection(set: SelectionSetNode | undefined, model: string, datamodel: Datamodel): Selection {
  const selection: Selection = {};
  for (const field of fields(set)) {
    const name = field.name.value;
    const its = datamodel[model]?.[name];
    const target = its?.relation === true ? its.type : model;
    selection[name] = field.selectionSet === undefined ? true : readBody(field, target, datamodel);
  }
  return selection;
}

function fields(set: SelectionSetNode | undefined): FieldNode[] {
  return (set?.selections ?? []).filter((selection) => selection.kind === Kind.FIELD);
}

function readValue(node: ValueNode, place: Place, datamodel: Datamodel): unknown {
  switch (node.kind) {
    case Kind.INT:
      return "type" in place && place.type === "BigInt"
        ? { $type: "BigInt", value: node.value }
        : readNumber(node.value, place);
    case Kind.FLOAT:
      return readNumber(node.value, place);
    case Kind.STRING:
      return "type" in place && place.type === "Json" ? { $type: "Json", value: node.value } : node.value;
    case Kind.BOOLEAN:
      return node.value;
    case Kind.NULL:
      return null;
    case Kind.ENUM:
      return { $type: "Enum", value: node.value };
    case Kind.LIST:
      return node.values.map((value) => readValue(value, place, datamodel));
    case Kind.OBJECT:
      return Object.fromEntries(
        node.fields.map(({ name, value }) => [
          name.value,
          readValue(value, placeOf(name.value, place, datamodel), datamodel),
        ]),
      );
    case Kind.VARIABLE:
      throw new Error("variables are not part of this protocol");
  }
}

/** A decimal keeps all its digits. */
function readNumber(text: string, place: Place): unknown {
  return "type" in place && place.type === "Decimal" ? { $type: "Decimal", value: text } : Number(text);
}

function placeOf(key: string, place: Place, datamodel: Datamodel): Place {
  if ("type" in place) return place.type === "Json" && PLAIN_IN_JSON.has(key) ? { type: "String" } : place;
  const field = datamodel[place.model]?.[key];
  // Not a field: a part of the query (`where`, `AND`, `connect`) or a key over several fields.
  if (field === undefined) return place;
  return field.relation ? { model: field.type } : { type: field.type };
}

function rawArguments(field: FieldNode): Record<string, unknown> {
  const text = (wanted: string): string | undefined => {
    const found = field.arguments?.find(({ name }: ArgumentNode) => name.value === wanted)?.value;
    return found?.kind === Kind.STRING ? found.value : undefined;
  };
  return { query: text("query") ?? "", parameters: text("parameters") ?? "[]" };
}
