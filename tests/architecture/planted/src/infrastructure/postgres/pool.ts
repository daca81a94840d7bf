import "../http/server.ts";
import "../telemetry/metrics.ts";
