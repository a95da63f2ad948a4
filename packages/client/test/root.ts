/** As much of a document as React needs to render components that show nothing. */
import type { ReactNode } from 'react'
import { vi } from 'vitest'

export async function openRoot(): Promise<{ render: (what: ReactNode) => void; unmount: () => void }> {
  vi.stubGlobal('window', { addEventListener: () => {}, HTMLIFrameElement: EventTarget })
  const document = { nodeType: 9, addEventListener: () => {}, activeElement: null, defaultView: null }
  const container = {
    nodeType: 1,
    tagName: 'DIV',
    namespaceURI: 'http://www.w3.org/1999/xhtml',
    ownerDocument: document,
    addEventListener: () => {},
    textContent: ''
  }
  vi.stubGlobal('document', document)
  const { createRoot } = await import('react-dom/client')
  const root = createRoot(container as unknown as Element)
  return { render: (what) => root.render(what), unmount: () => root.unmount() }
}
