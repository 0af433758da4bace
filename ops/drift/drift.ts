/** One difference between what the last run recorded and what the server has. */
export interface Drift {
  /** `container n8n`, `file /opt/vpai/config/…`. */
  readonly resource: string;
  readonly expected: string;
  readonly actual: string;
  readonly repair: Repair;
}

/** How a difference is put right. */
export type Repair =
  /** The bootstrap runs again. */
  | { readonly kind: "bootstrap" }
  /** One command on the server as root; the service's gate then waits until it is healthy. */
  | {
      readonly kind: "command";
      readonly command: string;
      readonly service?: string;
      readonly done: string;
      /** The container is only started, as it was. */
      readonly starts?: true;
    }
  /** The container is removed from the server, if it is there, and made again. */
  | { readonly kind: "make"; readonly service: string; readonly urn: string; readonly remove?: string }
  /** The engine replaces the container. */
  | { readonly kind: "replace"; readonly service: string }
  /** The engine reads the resource, and changes what differs. */
  | { readonly kind: "refresh"; readonly urn: string; readonly done: string }
  /** Its files are written again; the container is replaced where it does not take changed files while it runs; `stop`: before the files are written. */
  | { readonly kind: "files"; readonly service: string; readonly container: boolean; readonly stop?: boolean }
  /** The network is removed, if it is there, and made again; its containers with it. `urn`: where the state has it. */
  | { readonly kind: "network"; readonly name: string; readonly urn?: string; readonly services: readonly string[] }
  /** What was set in a service is set again by the resource that set it. */
  | { readonly kind: "provision"; readonly name: string }
  | { readonly kind: "gate"; readonly service: string }
  | { readonly kind: "power-on" }
  /** No program can repair it, and going on would hide or worsen it. */
  | { readonly kind: "lost"; readonly fix: string }
  /** The operator decides; nothing depends on it. */
  | { readonly kind: "manual"; readonly fix: string };
