/**
 * Turns the engine's events (one JSON object a line in the CLI's `--event-log`) into the lines a person reads.
 * Pure: the time of each event is an argument. Debug diagnostics are dropped unread: they may hold secrets.
 */

interface ResourceState {
  readonly custom?: boolean;
}

interface StepMetadata {
  readonly op: string;
  readonly urn: string;
  readonly type: string;
  readonly old?: ResourceState | null;
  readonly new?: ResourceState | null;
}

interface Step {
  readonly metadata: StepMetadata;
  readonly planning?: boolean;
}

/** The part of an engine event that is used here. */
export interface EngineEvent {
  readonly resourcePreEvent?: Step;
  readonly resOutputsEvent?: Step;
  readonly resOpFailedEvent?: Step;
  readonly diagnosticEvent?: {
    readonly urn?: string;
    readonly message: string;
    readonly severity: string;
    readonly ephemeral?: boolean;
  };
  readonly summaryEvent?: {
    readonly resourceChanges?: Readonly<Record<string, number>>;
    readonly isPreview?: boolean;
    readonly result?: string;
  };
}

/** What the engine did or would do, by its own count. */
export interface Summary {
  readonly changes: Readonly<Record<string, number>>;
  readonly preview: boolean;
  readonly succeeded: boolean;
}

export interface Progress {
  /** The lines that this event adds. `at` is its time in milliseconds. */
  next(event: EngineEvent, at: number): string[];
  /** Steps under way at time `at`, the oldest first, such as `n8n gate 12 s`. */
  running(at: number): string[];
  summary(): Summary | undefined;
}

interface Verb {
  readonly sign: string;
  readonly done: string;
  readonly planned: string;
}

const verbs: Readonly<Record<string, Verb>> = {
  create: { sign: "+", done: "created", planned: "create" },
  update: { sign: "~", done: "updated", planned: "update" },
  delete: { sign: "-", done: "deleted", planned: "delete" },
  "create-replacement": { sign: "±", done: "replaced", planned: "replace" },
  "delete-replaced": { sign: "-", done: "old one deleted", planned: "delete the old one" },
  import: { sign: "=", done: "imported", planned: "import" },
  read: { sign: "=", done: "read", planned: "read" },
};

/** A refresh changes nothing but the state: its report is what it found. */
const found: Readonly<Record<string, string>> = { update: "~ {} was found changed", delete: "- {} was found missing" };

/** `docker:index/remoteImage:RemoteImage` → `remote image`. */
export function kindOf(type: string): string {
  const noun = type.slice(type.lastIndexOf(":") + 1);
  return noun.replace(/([a-z0-9])([A-Z])/g, "$1 $2").toLowerCase();
}

/** `n8n container` from a URN; a name that ends with its kind (`n8n-container`) says it once. */
export function labelOf(urn: string, type: string): string {
  const name = urn.slice(urn.lastIndexOf("::") + 2);
  const kind = kindOf(type);
  const dashed = kind.replaceAll(" ", "-");
  if (name === dashed) return kind;
  return `${name.endsWith(`-${dashed}`) ? name.slice(0, -dashed.length - 1) : name} ${kind}`;
}

/** 940 → `0.9 s`, 12 345 → `12 s`, 75 000 → `1 min 15 s`. */
export function duration(ms: number): string {
  if (ms < 9_950) return `${(ms / 1000).toFixed(1)} s`;
  const seconds = Math.round(ms / 1000);
  return seconds < 60 ? `${seconds} s` : `${Math.floor(seconds / 60)} min ${String(seconds % 60).padStart(2, "0")} s`;
}

/** Resources a person thinks in: not the stack, not the providers, not the components that group others. */
function isShown({ type, old, new: fresh }: StepMetadata): boolean {
  return !type.startsWith("pulumi:") && (fresh?.custom ?? old?.custom ?? false);
}

function failureLines(label: string, messages: readonly string[]): string[] {
  const text = messages.map((message) => message.trim()).filter((message) => message !== "");
  const [head = "no reason given", ...rest] = (text.at(-1) ?? "").split("\n").filter((line) => line.trim() !== "");
  return [`✗ ${label}: ${head}`, ...rest.map((line) => `    ${line.trimEnd()}`)];
}

/** What a refresh found, which changed nothing but the state. */
function foundLine({ changes }: Summary, ms: number): string {
  const [changed, missing] = [changes["update"] ?? 0, changes["delete"] ?? 0];
  const parts = [changed && `${changed} found changed`, missing && `${missing} found missing`].filter(Boolean);
  const differs = parts.length > 0 ? `${parts.join(", ")}; \`up\` puts it right` : "no differences";
  return `${differs}, ${changes["same"] ?? 0} as recorded, ${duration(ms)}`;
}

function summaryLine(summary: Summary, ms: number, verb: string): string {
  if (verb === "refresh" && summary.succeeded) return foundLine(summary, ms);
  const order = ["create", "update", "replace", "delete", "import", "read"];
  const words = summary.preview
    ? { create: "to create", update: "to update", replace: "to replace", delete: "to delete" }
    : {
        create: "created",
        update: "updated",
        replace: "replaced",
        delete: "deleted",
        import: "imported",
        read: "read",
      };
  const parts = order.flatMap((op) => {
    const count = summary.changes[op] ?? 0;
    return count === 0 ? [] : [`${count} ${(words as Record<string, string>)[op] ?? op}`];
  });
  const same = summary.changes["same"] ?? 0;
  const changes = parts.length === 0 ? "no changes" : parts.join(", ");
  // A destroy with the program's credentials counts what the program names as unchanged, which it is not.
  const rest = verb === "destroy" ? "" : `, ${same} unchanged`;
  return `${summary.succeeded ? "" : "failed: "}${changes}${rest}, ${duration(ms)}`;
}

/** Progress of one run of `verb` that started at `startedAt` (milliseconds). */
export function createProgress(startedAt: number, verb = "up"): Progress {
  const running = new Map<string, { label: string; at: number }>();
  const errors = new Map<string, string[]>();
  let explained = false;
  let summary: Summary | undefined;

  const ended = ({ metadata, planning }: Step, at: number): string[] => {
    const start = running.get(metadata.urn)?.at ?? at;
    running.delete(metadata.urn);
    const words = verbs[metadata.op];
    if (words === undefined || !isShown(metadata)) return [];
    const label = labelOf(metadata.urn, metadata.type);
    if (verb === "refresh") return found[metadata.op] ? [found[metadata.op]?.replace("{}", label) ?? ""] : [];
    return planning === true
      ? [`${words.sign} ${label} would ${words.planned}`]
      : [`${words.sign} ${label} ${words.done} ${duration(at - start)}`];
  };

  const failed = ({ metadata }: Step): string[] => {
    running.delete(metadata.urn);
    explained = true;
    const messages = errors.get(metadata.urn) ?? [];
    errors.delete(metadata.urn);
    return failureLines(labelOf(metadata.urn, metadata.type), messages);
  };

  const diagnosed = (diagnostic: NonNullable<EngineEvent["diagnosticEvent"]>): string[] => {
    const { urn, message, severity, ephemeral } = diagnostic;
    if (ephemeral === true || severity === "debug") return [];
    const text = message.trim();
    // Not from a step: a fault of the program (on the stack) or of the engine. "update failed" only repeats.
    const general = urn === undefined || urn === "" || urn.includes("pulumi:pulumi:Stack::");
    if (severity === "error" && !general) {
      errors.set(urn, [...(errors.get(urn) ?? []), text]);
      return [];
    }
    if (severity === "error")
      return /^(update|preview|destroy|refresh) failed$/.test(text) ? [] : ((explained = true), [`✗ ${text}`]);
    if (severity === "warning") return text.includes("pending operations") ? [] : [`! ${text}`];
    return severity === "info" && text !== "" ? [`  ${text}`] : [];
  };

  const summarised = (event: NonNullable<EngineEvent["summaryEvent"]>, at: number): string[] => {
    summary = {
      changes: event.resourceChanges ?? {},
      preview: event.isPreview === true,
      succeeded: event.result === "succeeded" || (event.result === undefined && errors.size === 0 && !explained),
    };
    // Errors of resources for which no failed step came, such as a provider that refused its configuration.
    const rest = [...errors].flatMap(([urn, messages]) => failureLines(urn.slice(urn.lastIndexOf("::") + 2), messages));
    errors.clear();
    return [...rest, summaryLine(summary, at - startedAt, verb)];
  };

  return {
    next(event, at) {
      if (event.resourcePreEvent) {
        const { metadata } = event.resourcePreEvent;
        if (verbs[metadata.op] && isShown(metadata)) {
          running.set(metadata.urn, { label: labelOf(metadata.urn, metadata.type), at });
        }
        return [];
      }
      if (event.resOutputsEvent) return ended(event.resOutputsEvent, at);
      if (event.resOpFailedEvent) return failed(event.resOpFailedEvent);
      if (event.diagnosticEvent) return diagnosed(event.diagnosticEvent);
      return event.summaryEvent ? summarised(event.summaryEvent, at) : [];
    },
    running: (at) => [...running.values()].map(({ label, at: start }) => `${label} ${duration(at - start)}`),
    summary: () => summary,
  };
}

/** One line of the event log; undefined when it is not an event (a half line of an engine that was killed). */
export function parseEvent(line: string): EngineEvent | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === "object" && value !== null ? (value as EngineEvent) : undefined;
  } catch {
    return undefined;
  }
}
