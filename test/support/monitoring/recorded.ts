import { renderAlloyConfig } from "../../../components/services/alloy/config.ts";
import { renderDashboard } from "../../../components/services/grafana/dashboard.ts";
import { renderDashboardProvider, renderDatasources } from "../../../components/services/grafana/provisioning.ts";
import { renderLokiConfig } from "../../../components/services/loki/config.ts";
import { dashboard, scrapes } from "./sample.ts";

const FILES = {
  "loki.yaml": () => renderLokiConfig({ logsDays: 14, heapMb: 160 }),
  "config.alloy": () => renderAlloyConfig(scrapes, "/etc/vpai/secrets"),
  "datasources.yaml": () => renderDatasources(),
  "dashboards.yaml": () => renderDashboardProvider("/etc/vpai/dashboards"),
  "dashboard.json": () => renderDashboard(dashboard),
};

/** What the fakes of the readers are given: the sample, as it is rendered now. */
export const recorded = (name: keyof typeof FILES): string => FILES[name]();
