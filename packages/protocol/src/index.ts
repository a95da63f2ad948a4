export * from './market.ts'
export * from './topic.ts'
export * from './wire.ts'
