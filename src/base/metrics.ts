/** Counters, gauges and histograms over prom-client, in a registry that is passed around. */

import { Counter, Gauge, Histogram, Registry } from 'prom-client'

export type MetricLabels = Readonly<Record<string, string | number>>

export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): (labels?: MetricLabels, by?: number) => void
  gauge(name: string, help: string, labels?: readonly string[]): (labels: MetricLabels, value: number) => void
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ): (labels: MetricLabels, value: number) => void
  /** What somebody else counts: lines of the text format, asked for whenever `text` is. */
  append(lines: () => string): void
  /** The text exposition format. */
  text(): Promise<string>
  readonly contentType: string
}

export function createMetrics(): Metrics {
  const registry = new Registry()
  const shared = { registers: [registry] }
  const appended: (() => string)[] = []
  return {
    counter(name, help, labels = []) {
      const metric = new Counter({ name, help, labelNames: [...labels], ...shared })
      return (values = {}, by = 1) => metric.inc({ ...values }, by)
    },
    gauge(name, help, labels = []) {
      const metric = new Gauge({ name, help, labelNames: [...labels], ...shared })
      return (values, value) => metric.set({ ...values }, value)
    },
    histogram(name, help, buckets, labels = []) {
      const metric = new Histogram({ name, help, buckets: [...buckets], labelNames: [...labels], ...shared })
      return (values, value) => metric.observe({ ...values }, value)
    },
    append: (lines) => void appended.push(lines),
    text: async () => (await registry.metrics()) + appended.map((lines) => lines()).join(''),
    contentType: registry.contentType,
  }
}
