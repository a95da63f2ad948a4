/** Peers of the fan-out benchmark that are programs: redis, nats-server and nginx with nchan, each on free ports of its own. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { connect, createServer, type AddressInfo, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { setTimeout as wait } from 'node:timers/promises'
import { WebSocket } from 'ws'
import { createTexts, picked, topicsOf, type Spec } from './fanout-feed.ts'
import { onCore } from './fanout-child.ts'

async function freePort(): Promise<number> {
  const server = createServer()
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve))
  const { port } = server.address() as AddressInfo
  await new Promise((resolve) => server.close(resolve))
  return port
}

async function reach(port: number): Promise<Socket> {
  for (let tries = 0; tries < 100; tries++) {
    const socket = connect(port, '127.0.0.1')
    const isOpen = await new Promise<boolean>((resolve) => {
      socket.once('connect', () => resolve(true))
      socket.once('error', () => resolve(false))
    })
    if (isOpen) return socket.setNoDelay()
    await wait(50)
  }
  throw new Error(`nothing listens on ${port}`)
}

/** Ends with this process, and leaves no file. */
function run(program: string, args: string[], directory: string) {
  const [command, all] = onCore(0, program, args)
  const child = spawn(command, all, { stdio: 'ignore', cwd: directory })
  process.once('exit', () => {
    child.kill('SIGTERM')
    rmSync(directory, { recursive: true, force: true })
  })
  return child
}

export async function startRedis(spec: Spec) {
  const directory = mkdtempSync(join(tmpdir(), 'fanout-redis-'))
  const port = await freePort()
  const quiet = ['--save', '', '--appendonly', 'no', '--client-output-buffer-limit', 'pubsub 0 0 0']
  const room = ['--maxclients', '15000', '--bind', '127.0.0.1', '--dir', directory]
  const child = run('redis-server', ['--port', String(port), ...quiet, ...room], directory)
  const socket = await reach(port)
  socket.resume()
  const textOf = createTexts(spec)
  const publish = (n: number, due: number) => {
    const { name, text } = textOf(n, due)
    socket.write(`*3\r\n$7\r\nPUBLISH\r\n$${name.length}\r\n${name}\r\n$${text.length}\r\n${text}\r\n`)
  }
  return { port, pids: [child.pid!], publish }
}

export async function startNats(spec: Spec) {
  const directory = mkdtempSync(join(tmpdir(), 'fanout-nats-'))
  const [port, inner] = [await freePort(), await freePort()]
  const config = [
    `host: "127.0.0.1"\nport: ${inner}\nping_interval: "1h"\nmax_connections: 20000\nmax_pending: 536870912`,
    `websocket { host: "127.0.0.1", port: ${port}, no_tls: true, compression: false }`
  ]
  writeFileSync(join(directory, 'nats.conf'), config.join('\n'))
  const child = run('nats-server', ['-c', join(directory, 'nats.conf')], directory)
  const socket = await reach(inner)
  socket.resume()
  socket.write('CONNECT {"verbose":false}\r\n')
  ;(await reach(port)).destroy()
  const textOf = createTexts(spec)
  const publish = (n: number, due: number) => {
    const { name, text } = textOf(n, due)
    socket.write(`PUB ${name} ${text.length}\r\n${text}\r\n`)
  }
  return { port, pids: [child.pid!], publish }
}

/** The channels of a connection are looked up by its number; where all have all topics, they are one channel. */
function nginxConfig(spec: Spec, directory: string, port: number): string {
  const numbers = Array.from({ length: spec.clients }, (_, i) => i)
  const rows = spec.each > 0 ? numbers.map((i) => `${i} "${picked(spec, i).join(',')}";`) : []
  return `
load_module /usr/lib/nginx/modules/ngx_nchan_module.so;
daemon off; worker_processes 1; worker_rlimit_nofile 20000; pid ${directory}/pid; error_log ${directory}/error.log crit;
events { worker_connections 16000; }
http {
  access_log off; client_body_temp_path ${directory}/body; proxy_temp_path ${directory}/proxy;
  fastcgi_temp_path ${directory}/f; uwsgi_temp_path ${directory}/u; scgi_temp_path ${directory}/s;
  map_hash_max_size 20000; nchan_shared_memory_size 256M;
  map $arg_c $channels { default "all"; ${rows.join(' ')} }
  server {
    listen 127.0.0.1:${port};
    location /pub { nchan_publisher websocket; nchan_channel_id $arg_id; nchan_message_buffer_length 2000; nchan_message_timeout 5s; }
    location /sub { nchan_subscriber websocket; nchan_channel_id $channels; nchan_channel_id_split_delimiter ",";
      nchan_subscriber_first_message newest; nchan_websocket_ping_interval 0; }
  }
}`
}

export async function startNchan(spec: Spec) {
  const directory = mkdtempSync(join(tmpdir(), 'fanout-nchan-'))
  const port = await freePort()
  writeFileSync(join(directory, 'nginx.conf'), nginxConfig(spec, directory, port))
  const child = run('nginx', ['-p', directory, '-c', join(directory, 'nginx.conf')], directory)
  ;(await reach(port)).destroy()
  const publishers = new Map<string, WebSocket>()
  for (const id of spec.each > 0 ? topicsOf(spec) : ['all']) {
    const socket = new WebSocket(`ws://127.0.0.1:${port}/pub?id=${id}`, { perMessageDeflate: false })
    await once(socket, 'open')
    publishers.set(id, socket)
  }
  const textOf = createTexts(spec)
  const publish = (n: number, due: number) => {
    const { name, text } = textOf(n, due)
    publishers.get(spec.each > 0 ? name : 'all')?.send(text)
  }
  const workers = readFileSync(`/proc/${child.pid}/task/${child.pid}/children`, 'utf8').trim().split(' ').map(Number)
  return { port, pids: [child.pid!, ...workers], publish }
}
