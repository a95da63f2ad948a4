/** How the page is built: relative addresses, so that it works wherever the gateway's port serves it. */
import tailwind from '@tailwindcss/vite'
import react from '@vitejs/plugin-react'
import { defineConfig } from 'vite'

const gateway = process.env.TICKWIRE_URL ?? 'http://127.0.0.1:8000'

// One script on purpose: a part that is fetched later can be asked for just when the server is away, and is then missing for good.
export default defineConfig({
  base: './',
  plugins: [react(), tailwind()],
  build: { target: 'es2022', modulePreload: { polyfill: false }, assetsInlineLimit: 0, chunkSizeWarningLimit: 700 },
  server: {
    proxy: {
      '/v1/ws': { target: gateway, ws: true },
      '/v1/replay': { target: gateway, ws: true },
      '/v1': gateway,
      '/health': gateway,
      '/ready': gateway,
      '/metrics': gateway
    }
  }
})
