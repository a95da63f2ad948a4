/** Where the page begins. */
import { createRoot } from 'react-dom/client'
import { App } from './app.tsx'
import { Boundary } from './boundary.tsx'
import { start } from './model/load.ts'
import './style.css'

start()

createRoot(document.querySelector('#root')!).render(
  <Boundary what="The page">
    <App />
  </Boundary>
)
