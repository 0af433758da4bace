import type { Scrape } from "../../service/model/context.ts";

/** Where the Docker API is, of which only reading is let through. */
const DOCKER = "tcp://socket-proxy:2375";

/** A name as Alloy's syntax takes it. */
const label = (name: string): string => name.replaceAll(/[^A-Za-z0-9_]/g, "_");

function renderScrape({ service, address, path, bearer }: Scrape, secretsDir: string): string {
  const authorization = bearer
    ? `
	authorization {
		type             = "Bearer"
		credentials_file = "${secretsDir}/${bearer}"
	}
`
    : "";
  return `prometheus.scrape "${label(service)}" {
	targets         = [{"__address__" = "${address}"}]
	job_name        = "${service}"
	metrics_path    = "${path}"
	scrape_interval = "15s"
	scrape_timeout  = "10s"
	forward_to      = [prometheus.remote_write.metrics.receiver]
${authorization}}
`;
}

/**
 * Everything that declares metrics is scraped, and every container's log is followed. The log's labels come out of
 * Docker's own description of the container; a constant would leave them empty (P31).
 *
 * @param secretsDir where a scrape's bearer token lies, in a file of the secret's name
 */
export const renderAlloyConfig = (scrapes: readonly Scrape[], secretsDir: string): string => `logging {
	level  = "warn"
	format = "logfmt"
}

prometheus.remote_write "metrics" {
	endpoint {
		url = "http://victoriametrics:8428/api/v1/write"

		queue_config {
			max_shards = 4
		}
	}
}

${scrapes.map((scrape) => renderScrape(scrape, secretsDir)).join("\n")}
discovery.docker "containers" {
	host             = "${DOCKER}"
	refresh_interval = "15s"
}

discovery.relabel "containers" {
	targets = discovery.docker.containers.targets

	rule {
		source_labels = ["__meta_docker_container_name"]
		regex         = "/(.*)"
		target_label  = "container"
	}

	rule {
		source_labels = ["__meta_docker_container_label_vpai_service"]
		target_label  = "service"
	}
}

loki.source.docker "containers" {
	host       = "${DOCKER}"
	targets    = discovery.relabel.containers.output
	forward_to = [loki.write.logs.receiver]
}

loki.write "logs" {
	endpoint {
		url = "http://loki:3100/loki/api/v1/push"
	}
}
`;
