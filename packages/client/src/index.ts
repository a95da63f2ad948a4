/** @tickwire/client: connect, subscribe, and read live market data in browsers and Node. */
export { connect, type Client, type Options, type Standing } from './client.ts'
export type { ClientEvents } from './voice.ts'
export {
  DataStream,
  STREAM_TYPES,
  type DataStreamOptions,
  type Embed,
  type Handle,
  type LoopOptions,
  type StreamOptions,
  type StreamType
} from './data-stream.ts'
export type { StreamMessage } from './message.ts'
export type { Access, Keys } from './keys.ts'
export { Refused, type EventsOptions, type Subscription, type SubscribeOptions } from './subscription.ts'
export type {
  ConnectionState,
  Contracted,
  Failover,
  Failure,
  Hole,
  Lost,
  Phase,
  Reconnecting,
  Reset,
  Resumed,
  Shutdown,
  Via
} from './state.ts'
export { createDatafeed, type Bar, type Datafeed, type DatafeedOptions } from './datafeed.ts'
export { socketUrl } from './url.ts'
export * from '@tickwire/protocol'
