import * as docker from "@pulumi/docker";
import * as pulumi from "@pulumi/pulumi";
import type { Host } from "../host/host.ts";

export interface ImagesArgs {
  readonly host: Host;
  /** `repository:tag@sha256:…` by service. */
  readonly images: ReadonlyMap<string, string>;
}

/**
 * All images of a plan. Containers wait for every one of them, so that a missing tag or a registry that is down
 * stops the run while everything old still runs. They stay on the host: going back needs no registry.
 */
export class Images extends pulumi.ComponentResource {
  /** What to wait for. */
  readonly all: readonly docker.RemoteImage[];
  readonly #byService: ReadonlyMap<string, docker.RemoteImage>;
  readonly #pins: ReadonlyMap<string, string>;

  constructor(name: string, { host, images }: ImagesArgs, opts?: pulumi.ComponentResourceOptions) {
    super("vpai:service:Images", name, {}, opts);
    this.#pins = images;
    this.#byService = new Map(
      [...images].map(([service, image]) => [
        service,
        new docker.RemoteImage(`${name}-${service}`, { name: image, keepLocally: true }, host.resourceOptions(this)),
      ]),
    );
    this.all = [...this.#byService.values()];
    this.registerOutputs();
  }

  /** The id of a service's image on the host. */
  id(service: string): pulumi.Output<string> {
    return planned(this.#byService, service).imageId;
  }

  /** A service's image as it is pulled. */
  pin(service: string): string {
    return planned(this.#pins, service);
  }
}

function planned<T>(byService: ReadonlyMap<string, T>, service: string): T {
  const image = byService.get(service);
  if (image === undefined) throw new Error(`no image is planned for ${service}`);
  return image;
}
