import type { ServiceDefinition } from "../model/definition.ts";
import { HOST_TRUST, HOST_TRUST_ENVIRONMENT } from "./host-trust.ts";

/** Where containers see their files, unless the product wants another place. */
export const CONFIG_DIR = "/etc/vpai";

type WithDefault = "tmpfs" | "pids" | "cpus" | "stopGraceSeconds" | "alerts" | "dashboards";

/** A {@link ServiceDefinition} without what has a default here. */
export type ServiceInput = Omit<ServiceDefinition, WithDefault> &
  Partial<Pick<ServiceDefinition, WithDefault>> & {
    /** It calls the internet: it trusts the certificate authorities that its host trusts. @default false */
    readonly trustHostCa?: boolean;
  };

/** A 16 MB /tmp, 256 processes, one core, 30 s to stop, no alerts, no dashboards; files below {@link CONFIG_DIR}. */
export function defineService({ trustHostCa, ...input }: ServiceInput): ServiceDefinition {
  const { hostMounts = [], environment } = input;
  return {
    tmpfs: { "/tmp": "rw,noexec,nosuid,size=16m" },
    pids: 256,
    cpus: 1,
    stopGraceSeconds: 30,
    alerts: [],
    dashboards: [],
    ...(input.files && { configDir: CONFIG_DIR }),
    ...input,
    ...(trustHostCa && {
      hostMounts: [...hostMounts, HOST_TRUST],
      environment: (context) => ({ ...HOST_TRUST_ENVIRONMENT, ...environment?.(context) }),
    }),
  };
}
