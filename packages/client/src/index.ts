/** @tickwire/client: connect, subscribe, and read live market data in browsers and Node. */
export { connect, type Client, type Options, type Standing } from './client.ts'
export type { ClientEvents } from './voice.ts'
export { Refused, type EventsOptions, type Subscription, type SubscribeOptions } from './subscription.ts'
export type { ConnectionState, Contracted, Failure, Hole, Lost, Phase, Reset, Resumed, Shutdown } from './state.ts'
export { createDatafeed, type Bar, type Datafeed, type DatafeedOptions } from './datafeed.ts'
export { socketUrl } from './url.ts'
export * from '@tickwire/protocol'
