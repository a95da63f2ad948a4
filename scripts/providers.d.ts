import { pageOf } from '@tickwire/server/providers/table.ts'
export declare const pages: ReadonlySet<string>
export declare const folders: ReadonlySet<string>
declare const captured: Set<string>
export declare const page: () => string
export { captured, pageOf }
