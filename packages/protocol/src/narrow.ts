/** What an event is under a contract that names fields: for the server that sends it, and for a client that polls. */
import { ALWAYS, LITE, type Contract } from './contract.ts'
import type { Published } from './wire.ts'

/** The event with these fields alone. */
export function narrow(event: Published, fields: Contract['fields']): Published {
  const wanted: readonly string[] | undefined = fields === 'lite' ? LITE[event.type] : fields
  if (!wanted) return event
  const whole = event as unknown as Record<string, unknown>
  const part: Record<string, unknown> = {}
  for (const name of ALWAYS) part[name] = whole[name]
  // Whatever else was asked for: nobody may take the past for the present.
  if (event.replay !== undefined) part['replay'] = event.replay
  for (const name of wanted) if (Object.hasOwn(whole, name)) part[name] = whole[name]
  return part as unknown as Published
}
