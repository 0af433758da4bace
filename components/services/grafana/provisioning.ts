import { DATASOURCES } from "../../service/model/monitoring.ts";

/**
 * Both stores, under the uids that dashboards and alerts refer to (P30): without them Grafana invents new ones, and
 * every panel says "datasource not found".
 */
export const renderDatasources = (): string => `apiVersion: 1
prune: true
datasources:
  - name: VictoriaMetrics
    uid: ${DATASOURCES.metrics}
    type: prometheus
    access: proxy
    url: http://victoriametrics:8428
    isDefault: true
    editable: false
    jsonData:
      httpMethod: POST
      timeInterval: 15s
  - name: Loki
    uid: ${DATASOURCES.logs}
    type: loki
    access: proxy
    url: http://loki:3100
    isDefault: false
    editable: false
    jsonData:
      maxLines: 1000
`;

/** @param path the directory of the dashboards' files */
export const renderDashboardProvider = (path: string): string => `apiVersion: 1
providers:
  - name: vpai
    orgId: 1
    type: file
    disableDeletion: false
    allowUiUpdates: false
    updateIntervalSeconds: 10
    options:
      path: ${path}
`;

/** For the kinds of provisioning that have nothing to say: Grafana logs an error for a directory that is not there. */
export const renderNothing = (): string => "apiVersion: 1\n";
