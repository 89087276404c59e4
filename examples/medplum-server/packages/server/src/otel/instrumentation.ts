// Loaded by `node --require`, before the server: counts and times every HTTP request and offers the numbers to Prometheus
// on port 5000. Node publishes both ends of a request on diagnostics channels, so nothing has to be patched.

import { metrics } from '@opentelemetry/api';
import { PrometheusExporter } from '@opentelemetry/exporter-prometheus';
import { MeterProvider } from '@opentelemetry/sdk-metrics';
import { subscribe } from 'node:diagnostics_channel';
import type { IncomingMessage, ServerResponse } from 'node:http';

const PORT = Number(process.env['OTEL_EXPORTER_PROMETHEUS_PORT'] ?? 5000);

// The exporter's own default is localhost, which nothing outside of a container reaches.
const HOST = process.env['OTEL_EXPORTER_PROMETHEUS_HOST'] ?? '0.0.0.0';

// The name and the boundaries (in seconds) are those of OpenTelemetry's semantic conventions for HTTP.
const DURATION = 'http.server.request.duration';
const BOUNDARIES = [0.005, 0.01, 0.025, 0.05, 0.075, 0.1, 0.25, 0.5, 0.75, 1, 2.5, 5, 7.5, 10];

interface Exchange {
  request: IncomingMessage;
  response: ServerResponse;
}

function start(): void {
  const exporter = new PrometheusExporter({ host: HOST, port: PORT }, (error?: Error | void) => {
    // Without metrics a server still serves.
    if (error) {
      console.error(`no metrics: ${error.message}`);
    }
  });
  metrics.setGlobalMeterProvider(new MeterProvider({ readers: [exporter] }));
  const duration = metrics.getMeter('@example/server').createHistogram(DURATION, {
    description: 'Duration of HTTP server requests.',
    unit: 's',
    advice: { explicitBucketBoundaries: BOUNDARIES },
  });

  const started = new WeakMap<IncomingMessage, number>();
  subscribe('http.server.request.start', (message) => {
    const { request } = message as Exchange;
    // Prometheus asks through a server of this very process; its own questions are not traffic.
    if (request.socket.localPort !== PORT) {
      started.set(request, performance.now());
    }
  });
  subscribe('http.server.response.finish', (message) => {
    const { request, response } = message as Exchange;
    const since = started.get(request);
    if (since !== undefined) {
      duration.record((performance.now() - since) / 1000, {
        'http.request.method': request.method ?? '',
        'http.response.status_code': response.statusCode,
      });
    }
  });
}

if (process.env['OTEL_SDK_DISABLED'] !== 'true') {
  start();
}
