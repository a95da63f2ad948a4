/** The chat of the Ziggy endpoints, which is REST alone: the service is not there yet; docs/websocket-s0-s1.md. */
import { dialect } from './dialect.ts'
import { missingRoutes } from './ziggy.absent.ts'

export const chat = dialect<undefined>({
  name: 'chat',
  paths: [],
  maxMessage: 64 * 1024,
  open: () => ({ memory: undefined, commands: [] }),
  receive: () => [],
  render: () => undefined,
  http: missingRoutes('chat', ['POST /chat/complete', 'POST /api/chat/complete', 'GET /chat/health', 'GET /api/chat/health'])
})
