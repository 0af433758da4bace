import type { Labels, ServerStatus } from "../state/model.ts";

// The responses of the API, as https://docs.hetzner.cloud describes them. Every view returns one of these, every route
// answers with one: a missing or misspelt field does not compile.

/** The type of a fastify route that answers with `T`. */
export interface Answers<T> {
  Reply: T;
}

export interface ActionView {
  readonly id: number;
  readonly command: string;
  readonly status: "running" | "success" | "error";
  /** Percent. */
  readonly progress: number;
  readonly started: string;
  readonly finished: string | null;
  readonly error: { readonly code: string; readonly message: string } | null;
  readonly resources: readonly { readonly id: number; readonly type: string }[];
}

export interface LocationView {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly country: string;
  readonly city: string;
  readonly latitude: number;
  readonly longitude: number;
  readonly network_zone: string;
}

/** Decimal strings, EUR. */
export interface Price {
  readonly net: string;
  readonly gross: string;
}

export interface ServerTypePrice {
  /** Name of the location. */
  readonly location: string;
  readonly price_hourly: Price;
  readonly price_monthly: Price;
  /** Bytes. */
  readonly included_traffic: number;
  readonly price_per_tb_traffic: Price;
}

export interface Deprecation {
  readonly announced: string;
  readonly unavailable_after: string;
}

export interface ServerTypeView {
  readonly id: number;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly cores: number;
  /** GB. */
  readonly memory: number;
  /** GB. */
  readonly disk: number;
  readonly deprecated: boolean;
  readonly deprecation: Deprecation | null;
  readonly prices: readonly ServerTypePrice[];
  readonly storage_type: "local" | "network";
  readonly cpu_type: "shared" | "dedicated";
  readonly architecture: "x86" | "arm";
  readonly locations: readonly {
    readonly id: number;
    readonly name: string;
    readonly deprecation: Deprecation | null;
    readonly available: boolean;
    readonly recommended: boolean;
  }[];
}

export interface ImageView {
  readonly id: number;
  readonly type: "system" | "snapshot" | "backup";
  readonly status: "available" | "creating";
  readonly name: string | null;
  readonly description: string;
  /** GB. */
  readonly image_size: number | null;
  /** GB. */
  readonly disk_size: number;
  readonly created: string;
  readonly created_from: { readonly id: number; readonly name: string } | null;
  readonly bound_to: number | null;
  readonly os_flavor: "debian";
  readonly os_version: string | null;
  readonly rapid_deploy: boolean;
  readonly protection: { readonly delete: boolean };
  readonly deprecated: string | null;
  readonly deleted: string | null;
  readonly labels: Labels;
  readonly architecture: "x86" | "arm";
}

interface DnsPtr {
  readonly ip: string;
  readonly dns_ptr: string;
}

/** Without `datacenter`, which was removed from the API on 1 July 2026. */
export interface ServerView {
  readonly id: number;
  readonly name: string;
  readonly status: ServerStatus;
  readonly created: string;
  readonly public_net: {
    readonly ipv4: {
      readonly id: number;
      readonly ip: string;
      readonly blocked: boolean;
      readonly dns_ptr: string | null;
    } | null;
    readonly ipv6: {
      readonly id: number;
      readonly ip: string;
      readonly blocked: boolean;
      readonly dns_ptr: readonly DnsPtr[];
    } | null;
    readonly floating_ips: readonly number[];
    readonly firewalls: readonly { readonly id: number; readonly status: "applied" | "pending" }[];
  };
  readonly private_net: readonly never[];
  readonly server_type: ServerTypeView;
  readonly location: LocationView;
  readonly image: ImageView | null;
  readonly iso: null;
  readonly rescue_enabled: boolean;
  readonly locked: boolean;
  /** UTC hours, like `22-02`; null without backups. */
  readonly backup_window: string | null;
  /** Bytes. */
  readonly outgoing_traffic: number | null;
  readonly ingoing_traffic: number | null;
  readonly included_traffic: number | null;
  readonly protection: { readonly delete: boolean; readonly rebuild: boolean };
  readonly labels: Labels;
  readonly volumes: readonly number[];
  readonly load_balancers: readonly number[];
  /** GB. */
  readonly primary_disk_size: number;
  readonly placement_group: null;
}

/** Without `datacenter`, as {@link ServerView}. */
export interface PrimaryIpView {
  readonly id: number;
  readonly name: string;
  readonly type: "ipv4" | "ipv6";
  readonly ip: string;
  readonly location: LocationView;
  readonly created: string;
  readonly labels: Labels;
  readonly assignee_id: number | null;
  readonly assignee_type: "server" | "unassigned";
  readonly auto_delete: boolean;
  readonly blocked: boolean;
  readonly protection: { readonly delete: boolean };
  readonly dns_ptr: readonly DnsPtr[];
}

interface ServerTarget {
  readonly type: "server";
  readonly server: { readonly id: number };
}

export interface FirewallView {
  readonly id: number;
  readonly name: string;
  readonly labels: Labels;
  readonly created: string;
  readonly rules: readonly {
    readonly direction: "in" | "out";
    readonly protocol: "tcp" | "udp" | "icmp" | "esp" | "gre";
    readonly port: string | null;
    readonly description: string | null;
    readonly source_ips: readonly string[];
    readonly destination_ips: readonly string[];
  }[];
  readonly applied_to: readonly (
    | ServerTarget
    | {
        readonly type: "label_selector";
        readonly label_selector: { readonly selector: string };
        readonly applied_to_resources: readonly ServerTarget[];
      }
  )[];
}

export interface SshKeyView {
  readonly id: number;
  readonly name: string;
  readonly fingerprint: string;
  readonly public_key: string;
  readonly labels: Labels;
  readonly created: string;
}

export interface VolumeView {
  readonly id: number;
  readonly name: string;
  readonly server: number | null;
  readonly status: "available" | "creating";
  readonly location: LocationView;
  /** GB. */
  readonly size: number;
  readonly format: "ext4" | "xfs" | null;
  readonly protection: { readonly delete: boolean };
  readonly labels: Labels;
  readonly linux_device: string;
  readonly created: string;
}

export interface PricingView {
  readonly currency: string;
  readonly vat_rate: string;
  readonly server_types: readonly {
    readonly id: number;
    readonly name: string;
    readonly prices: readonly ServerTypePrice[];
  }[];
  readonly primary_ips: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly prices: readonly {
      readonly location: string;
      readonly price_hourly: Price;
      readonly price_monthly: Price;
    }[];
  }[];
  readonly floating_ip: { readonly price_monthly: Price };
  readonly floating_ips: readonly {
    readonly type: "ipv4" | "ipv6";
    readonly prices: readonly { readonly location: string; readonly price_monthly: Price }[];
  }[];
  readonly load_balancer_types: readonly never[];
  readonly server_backup: { readonly percentage: string };
  readonly image: { readonly price_per_gb_month: Price };
  readonly volume: { readonly price_per_gb_month: Price };
}

export interface Pagination {
  readonly page: number;
  readonly per_page: number;
  readonly previous_page: number | null;
  readonly next_page: number | null;
  readonly last_page: number | null;
  readonly total_entries: number | null;
}

/** A page of `V` under the key `K`. */
export type ListAnswer<K extends string, V> = Readonly<Record<K, readonly V[]>> & {
  readonly meta: { readonly pagination: Pagination };
};

export interface ActionAnswer {
  readonly action: ActionView;
}

export interface ActionsAnswer {
  readonly actions: readonly ActionView[];
}

/** An action that sets a root password, shown only here. */
export interface PasswordAnswer extends ActionAnswer {
  readonly root_password: string;
}

export interface RebuildAnswer extends ActionAnswer {
  readonly root_password: string | null;
}

export interface CreateServerAnswer extends ActionAnswer {
  readonly server: ServerView;
  readonly next_actions: readonly ActionView[];
  readonly root_password: string | null;
}

export interface CreateVolumeAnswer extends ActionAnswer {
  readonly volume: VolumeView;
  readonly next_actions: readonly ActionView[];
}

export interface CreatePrimaryIpAnswer {
  readonly primary_ip: PrimaryIpView;
  /** Absent without an assignee. */
  readonly action?: ActionView;
}

export interface CreateFirewallAnswer extends ActionsAnswer {
  readonly firewall: FirewallView;
}

export interface CreateImageAnswer extends ActionAnswer {
  readonly image: ImageView;
}

export interface ErrorAnswer {
  readonly error: { readonly code: string; readonly message: string; readonly details: unknown };
}
