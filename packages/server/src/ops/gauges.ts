/** Counters and gauges that are read when scraped, so that the hot path only adds numbers. */
import { Counter, Gauge, type Registry } from 'prom-client'

/** What is told while reading: a value, of these labels. */
export type Put<L extends string> = (value: number, labels?: Partial<Record<L, string>>) => void

export function createGauges(registry: Registry) {
  return {
    counter: <L extends string>(name: string, help: string, labelNames: readonly L[], read: (put: Put<L>) => void): void => {
      const made = new Counter({
        name: `tickwire_${name}_total`,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset()
          read((value, labels = {}) => this.inc(labels as Record<L, string>, value))
        }
      })
      registry.registerMetric(made)
    },
    gauge: <L extends string>(name: string, help: string, labelNames: readonly L[], read: (put: Put<L>) => void): void => {
      const made = new Gauge({
        name: `tickwire_${name}`,
        help,
        labelNames,
        registers: [],
        collect() {
          this.reset()
          read((value, labels = {}) => this.set(labels as Record<L, string>, value))
        }
      })
      registry.registerMetric(made)
    }
  }
}
export type Gauges = ReturnType<typeof createGauges>
