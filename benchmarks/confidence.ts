/**
 * What confidence costs: nanoseconds for one event, with the forecasts it makes and their resolving, and for nothing but the middle
 * of the others' prices. One line of JSON. `node benchmarks/confidence.ts`
 */
import { confidenceOf, openStanding } from '@tickwire/server/arbiter/confidence.ts'
import { openForecasts, settle } from '@tickwire/server/arbiter/forecasts.ts'
import { medianOfOthers } from '@tickwire/server/arbiter/prices.ts'
import { note, openView, openVoice, type View } from '@tickwire/server/arbiter/voice.ts'
import type { Quote } from '@tickwire/protocol'

const PROVIDERS = ['a', 'b', 'c', 'd']
const INSTRUMENTS = Array.from({ length: 50 }, (_, k) => `I${k}`)
const EVENTS = 4_000_000
const PER_TICK = 1_000

const forecasts = openForecasts()
const standing = openStanding()
const views = new Map<string, View>(
  INSTRUMENTS.map((instrument) => [
    instrument,
    { ...openView(), voices: new Map(PROVIDERS.map((provider) => [provider, openVoice(provider)])) }
  ])
)
const events = PROVIDERS.flatMap((provider) =>
  INSTRUMENTS.map((instrument): Quote => ({
    type: 'quote',
    provider,
    instrument,
    time: 0,
    received: 0,
    bid: 99.99,
    bidSize: 1,
    ask: 100.01,
    askSize: 1
  }))
)

/** 10,000 events a second of 200 streams. */
function run(count: number, start: number, one: (event: Quote, view: View) => void): number {
  const begun = performance.now()
  for (let k = 0; k < count; k++) {
    const now = start + k / 10
    const event = events[(k * 7) % events.length]!
    event.time = event.received = now
    const view = views.get(event.instrument)!
    one(event, view)
    note(view.voices.get(event.provider)!, 100, now)
    if (k % PER_TICK === 0) settle(forecasts, views, now)
  }
  return ((performance.now() - begun) * 1e6) / count
}

let sink = 0
const whole = (event: Quote, { voices }: View) => void (sink += confidenceOf(forecasts, event, standing, voices))
const middle = (event: Quote, { voices }: View) => void (sink += medianOfOthers(voices, event.provider, event.received)?.[0] ?? 0)
const nothing = () => void sink++
let clock = 1_700_000_000_000
const measure = (one: typeof whole): number => {
  const each = Array.from({ length: 3 }, () => run(EVENTS, (clock += EVENTS), one))
  return Math.min(...each)
}
run(EVENTS, clock, whole)
const [none, median, all] = [measure(nothing), measure(middle), measure(whole)]
const round = (value: number) => Math.round(value)
console.log(
  JSON.stringify({ nsPerEvent: round(all - none), nsOfTheMedian: round(median - none), events: EVENTS, sink: sink > 0 })
)
