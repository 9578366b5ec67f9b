/**
 * Traces of hints and jobs, by BullMQ's own hook. The operator brings an OpenTelemetry SDK (`node --import`); without one nothing is
 * traced, and jobs carry nothing for it.
 */
import { SpanStatusCode, trace } from '@opentelemetry/api';
import { BullMQOtel } from 'bullmq-otel';

/** Names the spans' scope. */
const TRACER = 'perennial';

/** An option of BullMQ's queues and workers: there when an SDK has been registered before. */
export function tracing(): { readonly telemetry?: BullMQOtel } {
  return hasSdk() ? { telemetry: new BullMQOtel({ tracerName: TRACER }) } : {};
}

/** The API gives a provider of its own that passes on to the one registered; before that it has none to ask. */
function hasSdk(): boolean {
  const provider: object = trace.getTracerProvider();
  if (!('getDelegateTracer' in provider) || typeof provider.getDelegateTracer !== 'function') return true;
  return provider.getDelegateTracer(TRACER) !== undefined;
}

/** Marks the span of the job under way as failed. Not with the error's words: they may be a customer's. */
export function traceFailure(error: unknown): void {
  const message = error instanceof Error ? error.name : 'unknown';
  trace.getActiveSpan()?.setStatus({ code: SpanStatusCode.ERROR, message });
}
