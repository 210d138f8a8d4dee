/** Counters, gauges and histograms over prom-client, in a registry that is passed around. */

import { Counter, Gauge, Registry, Histogram as RegistryHistogram } from 'prom-client'
import { Histogram, histogramLines } from './histogram.ts'

export type MetricLabels = Readonly<Record<string, string | number>>

/** A series of a counter. */
export interface Count {
  total: number
}

export interface Metrics {
  counter(name: string, help: string, labels?: readonly string[]): (labels?: MetricLabels, by?: number) => void
  gauge(name: string, help: string, labels?: readonly string[]): (labels: MetricLabels, value: number) => void
  histogram(
    name: string,
    help: string,
    buckets: readonly number[],
    labels?: readonly string[],
  ): (labels: MetricLabels, value: number) => void
  /**
   * As `counter` and `histogram`, for what is counted with every request: whoever counts keeps its series at hand, so
   * that no labels are compared. The same labels, in the same order, are the same series; it is shown from its first count
   * on.
   */
  counts(name: string, help: string): (labels: MetricLabels) => Count
  histograms(name: string, help: string, buckets: readonly number[]): (labels: MetricLabels) => Histogram
  /** A gauge that is read when somebody asks, by the values of its one label. */
  readings(name: string, help: string, label: string, read: () => Readonly<Record<string, number>>): void
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
      const metric = new RegistryHistogram({ name, help, buckets: [...buckets], labelNames: [...labels], ...shared })
      return (values, value) => metric.observe({ ...values }, value)
    },
    counts(name, help) {
      const family = new Family({ name, help, type: 'counter' }, numberLines, () => ({ total: 0 }))
      appended.push(() => family.text())
      return (labels) => family.of(labels)
    },
    histograms(name, help, buckets) {
      const family = new Family({ name, help, type: 'histogram' }, observedLines, () => new Histogram(buckets))
      appended.push(() => family.text())
      return (labels) => family.of(labels)
    },
    readings(name, help, label, read) {
      const lines = () => Object.entries(read()).map(([value, number]) => `${name}{${label}="${value}"} ${number}`)
      appended.push(() => textOf({ name, help, type: 'gauge' }, lines()))
    },
    append: (lines) => void appended.push(lines),
    text: async () => (await registry.metrics()) + appended.map((lines) => lines()).join(''),
    contentType: registry.contentType,
  }
}

interface Described {
  readonly name: string
  readonly help: string
  readonly type: 'counter' | 'gauge' | 'histogram'
}

/** The series of one metric, by their labels as they are written. Who asks for them bounds their number. */
class Family<Series> {
  readonly #described: Described
  readonly #lines: (name: string, labels: string, series: Series) => readonly string[]
  readonly #make: () => Series
  readonly #series = new Map<string, Series>()

  constructor(
    described: Described,
    lines: (name: string, labels: string, series: Series) => readonly string[],
    make: () => Series,
  ) {
    this.#described = described
    this.#lines = lines
    this.#make = make
  }

  of(labels: MetricLabels): Series {
    const key = Object.entries(labels)
      .map(([name, value]) => `${name}="${escaped(String(value))}"`)
      .join(',')
    const known = this.#series.get(key)
    if (known !== undefined) return known
    const made = this.#make()
    this.#series.set(key, made)
    return made
  }

  text(): string {
    const { name } = this.#described
    return textOf(
      this.#described,
      [...this.#series].flatMap(([labels, series]) => this.#lines(name, labels, series)),
    )
  }
}

function numberLines(name: string, labels: string, { total }: Count): readonly string[] {
  if (total === 0) return []
  return [labels === '' ? `${name} ${total}` : `${name}{${labels}} ${total}`]
}

function observedLines(name: string, labels: string, histogram: Histogram): readonly string[] {
  return histogram.count === 0 ? [] : histogramLines(name, labels, histogram)
}

function textOf({ name, help, type }: Described, lines: readonly string[]): string {
  return `# HELP ${name} ${help}\n# TYPE ${name} ${type}\n${lines.map((line) => `${line}\n`).join('')}`
}

function escaped(value: string): string {
  return value.replaceAll('\\', '\\\\').replaceAll('\n', '\\n').replaceAll('"', '\\"')
}
