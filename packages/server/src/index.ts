/** @tickwire/server: the plant behind a port of its own, or inside the program that uses it. */
export { embed, type Embedded, type EmbedOptions } from './embed.ts'
export { demandOf, deskOf, openPlant, startServer, type PlantOptions, type Server, type ServerOptions } from './main.ts'
