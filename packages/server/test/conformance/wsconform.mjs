#!/usr/bin/env node
// wsconform.mjs - RFC 6455 / RFC 7692 server conformance for servers that do NOT echo.
// Black box, no dependencies (needs ./rawws.mjs). Every verdict rests on something a client can see: the close code,
// a Pong, the TCP end, the HTTP status, or the reply to one valid JSON request of yours.
//
//   node wsconform.mjs --url ws://127.0.0.1:8080/ws --request '{"op":"ping","id":"%s"}' --reply '"pong"' --max-message 65536
//
//   --request  a valid JSON text message the server answers; %s (inside a JSON string) is where the UTF-8 and padding
//              cases put their bytes, so the server must tolerate any text there (an id or a comment field is ideal).
//              Without it, "the message was accepted" is judged by a following Ping/Pong only.
//   --reply    regexp the answer matches          --hello / --hello-reply   message sent (and awaited) first, e.g. auth
//   --header 'Name: value' (repeat)  --origin O   --protocol P   --max-message N  the server's limit in bytes (0: skip)
//   --timeout ms (1500)  --concurrency (8)        --only REGEX (id or title)      --json FILE   --quiet
//   --strict   counts non-strict as failed        --require-deflate / --forbid-deflate
// Verdicts: pass; nonstrict (allowed by a SHOULD of the RFC, e.g. TCP dropped without a Close frame, or late failure); FAIL; skip.
// Case 9.7 waits for a message that --reply matches: a greeting or an event that comes by itself is no answer.
// Exit code 1 when anything failed. A server under a per-IP connection limit needs that limit raised (about 330 connections).
import { writeFileSync } from 'node:fs';
import zlib from 'node:zlib';
import { randomBytes } from 'node:crypto';
import { open, frame, closePayload, acceptFor, rawHttp, sleep, handshakeHeaders, requestText } from './rawws.mjs';

const A = { header: [], timeout: 1500, concurrency: 8, 'max-message': 0 };
for (let i = 2; i < process.argv.length; i++) {
  const k = process.argv[i].replace(/^--/, '');
  if (['strict', 'quiet', 'require-deflate', 'forbid-deflate', 'list'].includes(k)) A[k] = true;
  else if (k === 'header') A.header.push(process.argv[++i]); else A[k] = process.argv[++i];
}
if (!A.url) { console.error('usage: wsconform.mjs --url ws://host:port/path [--request JSON --reply RE ...]  (see the header of this file)'); process.exit(2); }
const T = Number(A.timeout), MAX = Number(A['max-message']), U = new URL(A.url);
const headers = Object.fromEntries(A.header.map((h) => [h.slice(0, h.indexOf(':')), h.slice(h.indexOf(':') + 1).trim()]));
const base = { headers, origin: A.origin, protocol: A.protocol, timeout: T * 3 };
const REQ = A.request, RE = A.reply ? new RegExp(A.reply) : /./;
const B = (s) => Buffer.from(s, 'latin1');
const P = 'pass', N = 'nonstrict', F = 'fail', S = 'skip';
class Verdict extends Error { constructor(v, why) { super(why); this.v = v; } }
const fail = (w) => { throw new Verdict(F, w); };

/** The probe with raw bytes put at %s, padded with spaces before the last brace to exactly `size` bytes. */
function probe(bytes = B('x'), size = 0) {
  const [a, b = ''] = REQ.split('%s'); let m = REQ.includes('%s') ? Buffer.concat([B(a), bytes, Buffer.from(b)]) : Buffer.from(REQ);
  if (size > m.length) m = Buffer.concat([m.subarray(0, m.length - 1), Buffer.alloc(size - m.length, 32), m.subarray(m.length - 1)]);
  return m;
}
const conns = new Set();
async function ws(opt = {}) {
  const c = await open(A.url, { ...base, ...opt }); conns.add(c);
  if (!c.up) fail(`handshake refused: ${c.res ? c.res.line : 'no answer'}`);
  if (A.hello) { c.text(A.hello); if (A['hello-reply']) { const re = new RegExp(A['hello-reply']); if (!await c.until(() => c.msgs.some((m) => re.test(m)), T)) fail('no reply to --hello'); } c.msgs = []; }
  return c;
}
const st = (c) => c.close ? `close ${c.close.code}${c.close.reason ? ` "${c.close.reason.slice(0, 40)}"` : ''}` : c.ended ? (c.reset ? 'TCP reset' : 'TCP ended') : 'still open';
/** The server must fail the connection with one of codes. */
async function mustClose(c, codes, ms = T) {
  await c.until(() => c.close || c.ended, ms);
  if (c.close) {
    if (!codes.includes(c.close.code)) fail(`${st(c)}, expected ${codes.join('/')}`);
    if (!await c.until(() => c.ended, Math.max(ms, 1500))) fail('Close frame sent, but TCP left open');
    return P;
  }
  if (c.ended) return [N, 'TCP dropped without a Close frame'];
  fail(`${st(c)} after ${ms} ms, expected close ${codes.join('/')}`);
}
/** The connection must still work: Ping answered. */
async function alive(c) { if (!await c.ping(T)) fail(`no Pong: ${st(c)}`); return P; }
/** The JSON probe must be answered (or, without --request, a Ping). */
async function answered(c, n = 1) {
  if (!REQ) return alive(c);
  if (!await c.until(() => c.msgs.filter((m) => RE.test(m)).length >= n || c.close || c.ended, T) || c.close || c.ended) fail(`no reply: ${st(c)}`);
  return P;
}
/** A legal message whose content the application may refuse: no protocol-level failure allowed. */
async function tolerated(c) {
  const ok = await c.ping(T);
  if (ok) return P;
  if (c.close && (c.close.code === 1003 || c.close.code === 1008 || c.close.code >= 3000)) return P;
  if (c.close?.code === 1007) return [N, 'closed 1007 for content that is legal on the wire'];
  fail(`${st(c)} for a legal message`);
}
const cases = [];
const add = (id, title, fn, need) => cases.push({ id, title, fn, need });
const bad = (id, title, bufs, codes = [1002], opt) => add(id, title, async () => { const c = await ws(opt); for (const b of [].concat(bufs())) c.write(b); return mustClose(c, codes); });
const hs = (id, title, edit, judge, opt = {}) => add(id, title, async () => { const c = await open(A.url, { ...base, ...opt, edit }); conns.add(c); return judge(c); });
const refused = (...want) => (c) => {
  if (c.up) fail('upgraded with 101');
  if (!c.res) return [N, 'connection dropped without a response'];
  if (want.length && !want.includes(c.res.status)) return c.res.status >= 400 && c.res.status < 500 || c.res.status === 501 || c.res.status === 505 ? [N, `${c.res.status}, ${want.join('/')} is usual`] : fail(`status ${c.res.status}`);
  return P;
};
const set = (k, v) => (h) => h.map(([a, b]) => [a, a === k ? v : b]);
const del = (k) => (h) => h.filter(([a]) => a !== k);
const up = async (c) => { if (!c.up) fail(`refused: ${c.res?.line ?? 'no answer'}`); return alive(c); };

// ---- 0 Handshake (RFC 6455 section 4.2)
hs('0.1', 'valid handshake: 101, Upgrade and Connection headers', (h) => h, (c) => {
  if (!c.up) fail(c.res?.line); const r = c.res.headers;
  if (!/^websocket$/i.test(r.upgrade ?? '')) fail('Upgrade header wrong'); if (!/upgrade/i.test(r.connection ?? '')) fail('Connection header wrong'); return P; });
hs('0.2', 'Sec-WebSocket-Accept for the RFC sample key', (h) => h, (c) => c.res?.headers['sec-websocket-accept'] === 's3pPLMBiTxaQ9kYGzzhZRbK+xOo=' ? P : fail(`got ${c.res?.headers['sec-websocket-accept']}`), { key: 'dGhlIHNhbXBsZSBub25jZQ==' });
add('0.3', 'Sec-WebSocket-Accept for a random key', async () => { const key = randomBytes(16).toString('base64'); const c = await open(A.url, { ...base, key }); conns.add(c); return c.res?.headers['sec-websocket-accept'] === acceptFor(key) ? P : fail('wrong accept value'); });
hs('0.4', 'header names in other cases, Connection: keep-alive, Upgrade', (h) => h.map(([k, v]) => [k.toUpperCase(), k === 'Connection' ? 'keep-alive, Upgrade' : k === 'Upgrade' ? 'WebSocket' : v]), up);
hs('0.5', 'handshake sent octet-wise', (h) => h, up, { chop: 1 });
add('0.6', 'first frame in the same segment as the handshake (a client should wait, 4.1)', async () => { const c = await open(A.url, { ...base, tail: frame({ op: 9, payload: 'early' }) }); conns.add(c); return await c.until(() => c.pongs.some((p) => p.toString() === 'early'), T) ? P : [N, 'early frame not answered']; });
hs('0.7', 'no Sec-WebSocket-Key', del('Sec-WebSocket-Key'), refused(400));
hs('0.8', 'Sec-WebSocket-Key of 15 octets', set('Sec-WebSocket-Key', randomBytes(15).toString('base64')), refused(400));
hs('0.9', 'Sec-WebSocket-Key not base64', set('Sec-WebSocket-Key', '!!!not base64!!!'), refused(400));
hs('0.10', 'empty Sec-WebSocket-Key', set('Sec-WebSocket-Key', ''), refused(400));
hs('0.11', 'Sec-WebSocket-Key twice (11.3.1: must not)', (h) => [...h, ['Sec-WebSocket-Key', randomBytes(16).toString('base64')]], refused(400));
const ver = (c) => { if (c.up) fail('upgraded'); if (!c.res) return [N, 'dropped']; if (!/\b13\b/.test(c.res.headers['sec-websocket-version'] ?? '')) return c.res.status >= 400 && c.res.status < 500 ? [N, `${c.res.status} without Sec-WebSocket-Version: 13`] : fail(c.res.line); return c.res.status === 426 || c.res.status === 400 ? P : [N, `${c.res.status}`]; };
hs('0.12', 'no Sec-WebSocket-Version', del('Sec-WebSocket-Version'), ver);
hs('0.13', 'Sec-WebSocket-Version 12 (4.4: answer names 13)', set('Sec-WebSocket-Version', '12'), ver);
hs('0.14', 'Sec-WebSocket-Version 99', set('Sec-WebSocket-Version', '99'), ver);
hs('0.15', 'Sec-WebSocket-Version abc', set('Sec-WebSocket-Version', 'abc'), ver);
hs('0.16', 'no Upgrade header', del('Upgrade'), refused(400, 404, 426));
hs('0.17', 'Upgrade: h2c', set('Upgrade', 'h2c'), refused(400, 404, 426));
hs('0.18', 'no Connection header', del('Connection'), refused(400, 404, 426));
hs('0.19', 'method POST', (h) => h, refused(400, 404, 405), { request: { method: 'POST' } });
hs('0.20', 'HTTP/1.0', (h) => h, refused(400, 404, 426, 505), { request: { version: 'HTTP/1.0' } });
hs('0.21', 'no Host header', del('Host'), refused(400));
hs('0.22', '96 KiB of request headers', (h) => [...h, ...Array.from({ length: 96 }, (_, i) => [`X-Pad-${i}`, 'p'.repeat(1010)])], (c) => (c.up ? [N, 'accepted: no limit on header size'] : refused(431, 400)(c)));
hs('0.23', 'unknown extension offered is not accepted', (h) => h, (c) => { if (!c.up) fail(c.res?.line); return c.res.headers['sec-websocket-extensions'] ? fail(`accepted ${c.res.headers['sec-websocket-extensions']}`) : P; }, { extensions: 'x-unknown-ext; a=1' });
hs('0.24', 'no extension in the answer when none was offered', (h) => h, (c) => { if (!c.up) fail(c.res?.line); return c.res.headers['sec-websocket-extensions'] ? fail('extension not offered') : P; });
if (!A.protocol) hs('0.25', 'subprotocol in the answer was offered, or none', (h) => h, (c) => { const p = c.res?.headers['sec-websocket-protocol']; if (!c.up) return c.res?.status >= 400 ? [N, `refused unknown subprotocols with ${c.res.status}`] : fail('dropped'); return !p || ['zz-unknown-1', 'zz-unknown-2'].includes(p) ? (p ? [N, 'accepted an unknown subprotocol'] : P) : fail(`chose ${p}`); }, { protocol: 'zz-unknown-1, zz-unknown-2' });
hs('0.26', 'no subprotocol in the answer when none was offered', (h) => h.filter(([k]) => k !== 'Sec-WebSocket-Protocol'), (c) => { if (!c.up) return A.protocol ? [N, 'refused'] : fail(c.res?.line); return c.res.headers['sec-websocket-protocol'] ? fail('subprotocol not offered') : P; });
add('0.27', 'garbage instead of HTTP', async () => { const r = await rawHttp(A.url, randomBytes(200), T * 2); return r.status === 101 ? fail('101') : r.hung && !r.status ? [N, 'left open'] : P; });

// ---- 1 Framing: lengths (5.2)
if (REQ) for (const [i, n] of [125, 126, 127, 128, 1000, 65535, 65536].entries()) {
  add(`1.1.${i + 1}`, `text request padded to ${n} octets`, async () => { const c = await ws(); c.text(probe(B('x'), n)); return answered(c); }, n);
  if (n < 2000) add(`1.3.${i + 1}`, `the same, sent in 7-octet chops`, async () => { const c = await ws(); await c.chop(frame({ op: 1, payload: probe(B('x'), n) }), 7); return answered(c); }, n);
}
for (const [i, n] of [0, 1, 125, 126, 127, 65535, 65536].entries()) add(`1.2.${i + 1}`, `binary message of ${n} octets`, async () => { const c = await ws(); c.send({ op: 2, payload: Buffer.alloc(n, 0xfe) }); return tolerated(c); }, n);
add('1.4.1', 'empty text message', async () => { const c = await ws(); c.text(''); return tolerated(c); });
add('1.4.2', 'text that is not JSON', async () => { const c = await ws(); c.text('Hello, world!'); return tolerated(c); });
const nonmin = (id, title, form) => add(id, title, async () => { const c = await ws(); c.send({ op: 9, payload: 'abcde', form }); await c.until(() => c.close || c.ended || c.pongs.length, T); return c.close ? (c.close.code === 1002 ? P : fail(st(c))) : c.ended ? [N, 'dropped'] : c.pongs[0]?.toString() === 'abcde' ? [N, 'non-minimal length accepted'] : fail('no reaction'); });
nonmin('1.5.1', 'Ping of 5 octets with a 16-bit length', '16'); nonmin('1.5.2', 'Ping of 5 octets with a 64-bit length', '64');
bad('1.5.3', '64-bit length with the top bit set', () => frame({ op: 2, payload: 'x', form: '64', declare: 2n ** 63n }), [1002, 1009]);
bad('1.5.4', '64-bit length of 2^62', () => frame({ op: 2, payload: 'x', form: '64', declare: 2n ** 62n }), [1002, 1009]);
bad('1.5.5', '64-bit length of 2^53 + 1', () => frame({ op: 1, payload: 'x', form: '64', declare: 2n ** 53n + 1n }), [1002, 1009]);

// ---- 2 Ping / Pong (5.5.2, 5.5.3)
const pong = (id, title, payload, chop) => add(id, title, async () => { const c = await ws(); const f = frame({ op: 9, payload }); chop ? await c.chop(f, chop) : c.write(f); return await c.until(() => c.pongs.some((p) => p.equals(Buffer.from(payload))), T) ? P : fail(`no matching Pong: ${st(c)}`); });
pong('2.1', 'Ping without payload', B('')); pong('2.2', 'Ping "Hello, world!"', B('Hello, world!')); pong('2.3', 'Ping with binary payload', B('\x00\xff\xfe\xfd\xfc\xfb\x00\xff'));
pong('2.4', 'Ping of 125 octets', Buffer.alloc(125, 0xfe)); bad('2.5', 'Ping of 126 octets', () => frame({ op: 9, payload: Buffer.alloc(126, 0xfe) })); pong('2.6', 'Ping of 125 octets, octet-wise', Buffer.alloc(125, 0xfe), 1);
add('2.7', 'unsolicited Pong without payload is ignored', async () => { const c = await ws(); c.send({ op: 10 }); return alive(c); });
add('2.8', 'unsolicited Pong with payload is ignored', async () => { const c = await ws(); c.send({ op: 10, payload: 'unsolicited' }); return alive(c); });
add('2.9', 'unsolicited Pong, then Ping', async () => { const c = await ws(); c.send({ op: 10, payload: 'a' }); c.send({ op: 9, payload: 'b' }); await c.until(() => c.pongs.length || c.ended, T); return c.pongs.length === 1 && c.pongs[0].toString() === 'b' ? P : fail(st(c)); });
const ten = (id, chop) => add(id, `10 Pings answered in order${chop ? ', octet-wise' : ''}`, async () => { const c = await ws(); const all = Buffer.concat(Array.from({ length: 10 }, (_, i) => frame({ op: 9, payload: `payload-${i}` }))); chop ? await c.chop(all, 1) : c.write(all); await c.until(() => c.pongs.length >= 10 || c.ended, T); const got = c.pongs.map(String).join(); const exp = Array.from({ length: 10 }, (_, i) => `payload-${i}`).join(); return got === exp ? P : c.pongs.at(-1)?.toString() === 'payload-9' ? [N, 'only the latest Pings answered (5.5.3 allows it)'] : fail(`got ${got}`); });
ten('2.10', false); ten('2.11', true);
add('2.12', 'Ping with an all-zero masking key', async () => { const c = await ws(); c.send({ op: 9, payload: 'zero', key: Buffer.alloc(4) }); return await c.until(() => c.pongs.some((p) => p.toString() === 'zero'), T) ? P : fail('no Pong'); });
add('2.13', 'Ping with payload that is not UTF-8', async () => { const c = await ws(); c.send({ op: 9, payload: B('\xff\xfe\x80') }); return await c.until(() => c.pongs.some((p) => p.equals(B('\xff\xfe\x80'))), T) ? P : fail('no Pong'); });
add('2.14', 'Ping whose header announces 65536 octets: closed on the header', async () => { const c = await ws(); c.send({ op: 9, payload: 'abcde', form: '64', declare: 65536 }); await c.until(() => c.close || c.ended, 500); if (c.close || c.ended) return mustClose(c, [1002]); c.write(Buffer.alloc(65531)); const v = await mustClose(c, [1002]); return v === P ? [N, 'closed only after the whole payload'] : v; }); bad('2.15', 'Pong of 126 octets', () => frame({ op: 10, payload: Buffer.alloc(126) }));

// ---- 3 Reserved bits
const text = () => (REQ ? probe() : B('{}'));
for (let r = 1; r <= 7; r++) bad(`3.1.${r}`, `text with RSV=${r}, nothing negotiated`, () => frame({ op: 1, rsv: r, payload: text() }));
for (const r of [1, 2, 4, 7]) { bad(`3.2.${r}`, `binary with RSV=${r}`, () => frame({ op: 2, rsv: r, payload: 'b' })); bad(`3.3.${r}`, `Ping with RSV=${r}`, () => frame({ op: 9, rsv: r, payload: 'p' })); bad(`3.4.${r}`, `Close with RSV=${r}`, () => frame({ op: 8, rsv: r, payload: closePayload(1000) })); bad(`3.6.${r}`, `continuation with RSV=${r}`, () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 0, rsv: r, payload: '}' })]); }
add('3.5', 'good request answered, then RSV=4, then Ping unanswered', async () => { const c = await ws(); if (REQ) c.text(probe()); c.send({ op: 1, rsv: 4, payload: text() }); c.send({ op: 9, payload: 'late' }); const v = await mustClose(c, [1002]); return c.pongs.length ? fail('Ping after the violation was answered') : v; });

// ---- 4 Opcodes
for (const op of [3, 4, 5, 6, 7, 11, 12, 13, 14, 15]) { bad(`4.1.${op}`, `reserved opcode ${op}, no payload`, () => frame({ op })); bad(`4.2.${op}`, `reserved opcode ${op} with payload, then Ping`, () => [frame({ op, payload: 'reserved' }), frame({ op: 9 })]); }

// ---- 5 Fragmentation (5.4)
const frags = (b, sizes, between) => { const out = []; let o = 0; sizes.forEach((n, i) => { const last = i === sizes.length - 1; out.push(frame({ op: i ? 0 : 1, fin: last, payload: b.subarray(o, last ? b.length : o + n) })); o += n; if (!last && between) out.push(between); }); return out; };
bad('5.1', 'Ping in 2 fragments', () => [frame({ op: 9, fin: false, payload: 'a' }), frame({ op: 0, payload: 'b' })]); bad('5.2', 'Pong in 2 fragments', () => [frame({ op: 10, fin: false, payload: 'a' }), frame({ op: 0, payload: 'b' })]);
bad('5.3', 'Close with FIN=0', () => frame({ op: 8, fin: false, payload: closePayload(1000) }));
const good = (id, title, make, chop) => add(id, title, async () => { const c = await ws(); const b = Buffer.concat(make()); chop ? await c.chop(b, chop) : c.write(b); return answered(c); }, 0);
if (REQ) {
  good('5.4', 'request in 2 fragments', () => frags(probe(), [3, 0])); good('5.5', 'request in 2 fragments, octet-wise', () => frags(probe(), [3, 0]), 1);
  good('5.6', 'request in 1-octet fragments', () => frags(probe(), Array(probe().length).fill(1))); good('5.7', 'empty fragments before, between and after', () => { const p = probe(); return [frame({ op: 1, fin: false }), frame({ op: 0, fin: false }), frame({ op: 0, fin: false, payload: p }), frame({ op: 0, fin: false }), frame({ op: 0 })]; });
  for (const [id, chop] of [['5.8', 0], ['5.9', 1]]) add(id, `Ping between 2 fragments${chop ? ', octet-wise' : ''}: Pong before the reply, request answered`, async () => { const c = await ws(); const b = Buffer.concat(frags(probe(), [3, 0], frame({ op: 9, payload: 'mid' }))); chop ? await c.chop(b, 1) : c.write(b); await answered(c); return c.pongs.some((p) => p.toString() === 'mid') ? P : fail('Ping not answered'); });
  add('5.10', 'Ping answered while a fragmented message is still open', async () => { const c = await ws(), p = probe(); c.send({ op: 1, fin: false, payload: p.subarray(0, 2) }); if (!await c.ping(T)) fail(`no Pong: ${st(c)}`); c.send({ op: 0, fin: false, payload: p.subarray(2, 4) }); if (!await c.ping(T)) fail('no second Pong'); c.send({ op: 0, payload: p.subarray(4) }); return answered(c); });
  add('5.11', 'unsolicited Pong between fragments', async () => { const c = await ws(); for (const b of frags(probe(), [3, 0], frame({ op: 10, payload: 'x' }))) c.write(b); return answered(c); });
  add('5.20', 'two whole requests in one TCP segment, both answered', async () => { const c = await ws(); c.write(Buffer.concat([frame({ op: 1, payload: probe() }), frame({ op: 1, payload: probe(B('y')) })])); return answered(c, 2); });
  add('5.21', 'Close answered while a fragmented message is open', async () => { const c = await ws(); c.send({ op: 1, fin: false, payload: '{' }); c.sentClose = true; c.send({ op: 8, payload: closePayload(1000) }); const v = await mustClose(c, [1000, 1002]); return v === P && c.close.code === 1002 ? [N, 'answered 1002'] : v; });
}
for (const [i, fin] of [true, false].entries()) { bad(`5.1${2 + i}`, `continuation (FIN=${+fin}) with nothing to continue`, () => frame({ op: 0, fin, payload: 'x' })); }
bad('5.14', 'empty continuation with nothing to continue', () => frame({ op: 0 }));
bad('5.15', 'message completed, then a stray continuation', () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 0, payload: '}' }), frame({ op: 0, payload: 'x' })], [1002, 1003, 1008]);
bad('5.16', 'new text frame inside a fragmented text', () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 1, payload: '{}' })]);
bad('5.17', 'new binary frame inside a fragmented text', () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 2, payload: 'b' })]);
bad('5.18', 'two text frames with FIN=0', () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 1, fin: false, payload: '{' })]);
bad('5.19', 'text inside a fragmented binary', () => [frame({ op: 2, fin: false, payload: 'b' }), frame({ op: 1, payload: '{}' })]);

// ---- 6 UTF-8 (8.1; sequences after M. Kuhn's UTF-8 decoder test, as in the Autobahn suite)
const KAPPA = B('\xce\xba\xe1\xbd\xb9\xcf\x83\xce\xbc\xce\xb5');
const okSeq = ['hello\x24world', 'hello\xC2\xA2world', 'hello\xE2\x82\xACworld', 'hello\xF0\xA4\xAD\xA2world', KAPPA.toString('latin1'), '\xc2\x80', '\xe0\xa0\x80', '\xf0\x90\x80\x80', '\x7f', '\xdf\xbf', '\xef\xbf\xbf', '\xf4\x8f\xbf\xbf', '\xed\x9f\xbf', '\xee\x80\x80', '\xef\xbf\xbd', '\xef\xbf\xbe', '\xef\xb7\x90', '\xf0\x9f\xbf\xbe', '\xf0\x9f\xbf\xbf', '\xef\xbb\xbf', '\xf3\xbf\xbf\xbf'];
const run = (a, b, sp) => Array.from({ length: b - a + 1 }, (_, i) => String.fromCharCode(a + i) + (sp ? ' ' : '')).join('');
const last = ['\xc0', '\xe0\x80', '\xf0\x80\x80', '\xf8\x80\x80\x80', '\xfc\x80\x80\x80\x80', '\xdf', '\xef\xbf', '\xf7\xbf\xbf', '\xfb\xbf\xbf\xbf', '\xfd\xbf\xbf\xbf\xbf'];
const badSeq = ['\xf8\x88\x80\x80\x80', '\xfc\x84\x80\x80\x80\x80', '\xf7\xbf\xbf\xbf', '\xfb\xbf\xbf\xbf\xbf', '\xfd\xbf\xbf\xbf\xbf\xbf', '\xf4\x90\x80\x80', '\x80', '\xbf', '\x80\xbf', '\x80\xbf\x80', '\x80\xbf\x80\xbf\x80\xbf', run(0x80, 0xbf), run(0xc0, 0xdf, 1), run(0xe0, 0xef, 1), run(0xf0, 0xf7, 1), run(0xf8, 0xfb, 1), run(0xfc, 0xfd, 1), ...last, last.join(''), '\xfe', '\xff', '\xfe\xfe\xff\xff', '\xc0\xaf', '\xe0\x80\xaf', '\xf0\x80\x80\xaf', '\xc1\xbf', '\xe0\x9f\xbf', '\xf0\x8f\xbf\xbf', '\xc0\x80', '\xe0\x80\x80', '\xf0\x80\x80\x80', '\xed\xa0\x80', '\xed\xad\xbf', '\xed\xae\x80', '\xed\xaf\xbf', '\xed\xb0\x80', '\xed\xbe\x80', '\xed\xbf\xbf', '\xed\xa0\x80\xed\xb0\x80', '\xed\xaf\xbf\xed\xbf\xbf', ...[1, 3, 4, 6, 8, 10].map((n) => KAPPA.subarray(0, n).toString('latin1'))];
const wrap = (b) => (REQ ? probe(b) : b);
okSeq.forEach((s, i) => {
  const hex = B(s).toString('hex');
  if (REQ) { add(`6.1.${i + 1}`, `valid UTF-8 ${hex}`, async () => { const c = await ws(); c.text(wrap(B(s))); return answered(c); });
    add(`6.2.${i + 1}`, `valid UTF-8 ${hex}, fragmented inside code points`, async () => { const c = await ws(), m = wrap(B(s)); for (const f of frags(m, Array(m.length).fill(1))) c.write(f); return answered(c); }); }
});
badSeq.forEach((s, i) => {
  const hex = B(s).toString('hex'), h = hex.length > 24 ? `${hex.slice(0, 24)}..` : hex;
  bad(`6.3.${i + 1}`, `invalid UTF-8 ${h}`, () => frame({ op: 1, payload: wrap(B(s)) }), [1007]);
  if (i % 3 === 0) bad(`6.4.${i + 1}`, `invalid UTF-8 ${h}, 1-octet fragments`, () => { const m = wrap(B(s)); return frags(m, Array(m.length).fill(1)); }, [1007]);
});
for (const [i, evil] of ['\xf4\x90\x80\x80', '\xf4\x90', '\xed\xa0\x80', '\xc0\xaf'].entries()) add(`6.5.${i + 1}`, `fail fast on ${B(evil).toString('hex')}: closed before the message ends (SHOULD)`, async () => {
  const c = await ws(); c.send({ op: 1, fin: false, payload: KAPPA }); await sleep(120); if (c.close || c.ended) fail('closed on a valid first fragment');
  c.send({ op: 0, fin: false, payload: B(evil) }); await c.until(() => c.close || c.ended, 400);
  if (c.close || c.ended) return mustClose(c, [1007]);
  c.send({ op: 0, payload: 'edited' }); const v = await mustClose(c, [1007]); return v === P ? [N, 'failed only at the end of the message'] : v; });

// ---- 7 Close (5.5.1, 7.4)
const closing = (id, title, payload, codes, soft) => add(id, title, async () => { const c = await ws(); c.sentClose = true; c.send({ op: 8, payload }); await c.until(() => c.close || c.ended, T);
  if (!c.close) return c.ended ? [N, 'TCP ended without a Close frame'] : fail('no Close in answer');
  if (!await c.until(() => c.ended, Math.max(T, 1500))) fail('TCP left open after the closing handshake');
  return codes.includes(c.close.code) ? P : soft?.includes(c.close.code) ? [N, `answered ${c.close.code}`] : fail(`answered ${c.close.code}, expected ${codes.join('/')}`); });
closing('7.1.1', 'Close 1000', closePayload(1000), [1000]); closing('7.1.2', 'Close 1000 with a reason', closePayload(1000, 'bye'), [1000]); closing('7.1.3', 'Close without payload', '', [1005, 1000]);
closing('7.1.4', 'Close with a reason of 123 octets', closePayload(1000, '*'.repeat(123)), [1000]); closing('7.1.5', 'Close with a UTF-8 reason', closePayload(1000, KAPPA), [1000]);
for (const [id, title, extra] of [['7.2.1', 'two Close frames: one answer', { op: 8, payload: closePayload(1000) }], ['7.2.2', 'Close, then Ping: no Pong', { op: 9, payload: 'late' }], ['7.2.3', 'Close, then a request: no reply', { op: 1, payload: text() }]])
  add(id, title, async () => { const c = await ws(); c.sentClose = true; c.write(Buffer.concat([frame({ op: 8, payload: closePayload(1000) }), frame(extra)])); await c.until(() => c.ended, T); if (c.pongs.length) fail('Pong after Close'); if (c.serverFaults.length) fail(c.serverFaults[0]); return c.close ? (c.close.code === 1000 ? P : fail(st(c))) : c.ended ? [N, 'TCP ended without a Close frame'] : fail('no Close'); });
bad('7.3.1', 'Close with a 1-octet payload', () => frame({ op: 8, payload: 'a' })); bad('7.3.2', 'Close of 126 octets', () => frame({ op: 8, payload: closePayload(1000, '*'.repeat(124)) })); bad('7.3.3', 'Close reason not UTF-8', () => frame({ op: 8, payload: closePayload(1000, B('\xce\xba\xe1\xbd\xb9\xed\xa0\x80')) }), [1007, 1002]);
bad('7.3.4', 'Close with a truncated UTF-8 reason', () => frame({ op: 8, payload: closePayload(1000, B('\xe2\x82')) }), [1007, 1002]);
for (const code of [1000, 1001, 1002, 1003, 1007, 1008, 1009, 1010, 1011, 3000, 3999, 4000, 4999]) closing(`7.7.${code}`, `Close ${code} answered`, closePayload(code), [code], [1000, 1005]);
for (const code of [1012, 1013, 1014]) closing(`7.8.${code}`, `Close ${code} (IANA registered) answered`, closePayload(code), [code], [1000, 1005, 1002]);
for (const code of [0, 1, 999, 1004, 1005, 1006, 1015, 1016, 1100, 2000, 2999]) bad(`7.9.${code}`, `Close ${code} (not allowed on the wire)`, () => frame({ op: 8, payload: closePayload(code) }));
for (const code of [5000, 65535]) closing(`7.13.${code}`, `Close ${code} (undefined range): any clean answer`, closePayload(code), [1002, code], [1000, 1005]);

// ---- 8 Masking (5.1: the server must close on an unmasked frame)
bad('8.1', 'unmasked text', () => frame({ op: 1, payload: text(), mask: false })); bad('8.2', 'unmasked Ping', () => frame({ op: 9, payload: 'p', mask: false })); bad('8.3', 'unmasked empty text', () => frame({ op: 1, mask: false })); bad('8.4', 'unmasked Close', () => frame({ op: 8, payload: closePayload(1000), mask: false }), [1002]); bad('8.5', 'unmasked continuation', () => [frame({ op: 1, fin: false, payload: '{' }), frame({ op: 0, payload: '}', mask: false })]); bad('8.6', 'unmasked binary', () => frame({ op: 2, payload: 'b', mask: false }));
if (REQ) add('8.7', 'request with an all-zero masking key answered', async () => { const c = await ws(); c.text(probe(), { key: Buffer.alloc(4) }); return answered(c); });

// ---- 9 Limits (10.4)
if (MAX) {
  if (REQ) add('9.1', `request of exactly the limit (${MAX})`, async () => { const c = await ws(); c.text(probe(B('x'), MAX)); return answered(c); });
  bad('9.2', `text of the limit + 1`, () => frame({ op: 1, payload: Buffer.alloc(MAX + 1, 32) }), [1009]); bad('9.3', 'binary of the limit + 1', () => frame({ op: 2, payload: Buffer.alloc(MAX + 1) }), [1009]);
  bad('9.4', 'header alone announces the limit + 1 (no payload sent): closed at once', () => frame({ op: 1, payload: '{', form: '64', declare: MAX + 1 }), [1009]);
  bad('9.5', 'fragments that together pass the limit', () => Array.from({ length: 5 }, (_, i) => frame({ op: i ? 0 : 1, fin: false, payload: Buffer.alloc(Math.ceil(MAX / 4), 32) })), [1009]); bad('9.6', 'header alone announces 1 TiB', () => frame({ op: 2, payload: 'x', form: '64', declare: 2n ** 40n }), [1009, 1002]);
}
add('9.7', '20,000 empty fragments: answered or closed, server responsive', async () => { const c = await ws(); const e = frame({ op: 0, fin: false, key: Buffer.alloc(4) }); c.send({ op: 1, fin: false, payload: text().subarray(0, 1) }); c.write(Buffer.concat(Array(20000).fill(e))); c.send({ op: 0, payload: text().subarray(1) }); await c.until(() => c.close || c.ended || c.msgs.some((m) => RE.test(m)), T * 3); const d = await ws(); if (!await d.ping(T)) fail('server unresponsive'); return c.close ? ([1008, 1009, 1002].includes(c.close.code) ? P : fail(st(c))) : c.ended ? [N, 'dropped'] : (REQ ? answered(c) : alive(c)); });
add('9.8', '1,000 Pings at once: all answered, or closed by policy', async () => { const c = await ws(); c.write(Buffer.concat(Array.from({ length: 1000 }, (_, i) => frame({ op: 9, payload: String(i) })))); await c.until(() => c.pongs.some((p) => p.toString() === '999') || c.close || c.ended, T * 3); return c.pongs.length === 1000 ? P : c.close ? (c.close.code === 1008 || c.close.code >= 3000 ? P : fail(st(c))) : c.pongs.length ? [N, `${c.pongs.length} of 1000 answered, then ${st(c)}`] : fail(st(c)); });

// ---- 12/13 permessage-deflate (RFC 7692)
const TAIL = Buffer.from([0, 0, 0xff, 0xff]);
const def = (b) => { const d = zlib.deflateRawSync(b, { finishFlush: zlib.constants.Z_SYNC_FLUSH }); return d.subarray(0, d.length - 4); };
const inf = (d) => zlib.inflateRawSync(Buffer.concat([d, TAIL]), { finishFlush: zlib.constants.Z_SYNC_FLUSH });
const EXT = 'permessage-deflate; server_no_context_takeover; client_max_window_bits';
async function zws(ext = EXT) { const c = await ws({ extensions: ext }); const r = c.res.headers['sec-websocket-extensions'] ?? ''; c.ext = r; if (!/^permessage-deflate/.test(r)) { if (A['require-deflate']) fail('permessage-deflate not negotiated'); throw new Verdict(S, 'permessage-deflate not negotiated'); } c.inflate = inf; return c; }
const z = (id, title, fn) => add(id, title, async () => fn(await zws()));
const zbad = (id, title, bufs, codes) => z(id, title, async (c) => { for (const b of bufs()) c.write(b); return mustClose(c, codes); });
hs('13.1', 'deflate answer uses only known parameters, each once', (h) => h, (c) => { const r = c.res?.headers['sec-websocket-extensions']; if (!c.up) fail(c.res?.line); if (r && A['forbid-deflate']) fail('negotiated'); if (!r) return A['require-deflate'] ? fail('not negotiated') : [S, 'not negotiated']; const ps = r.split(';').slice(1).map((x) => x.trim().split('=')); const names = ps.map((p) => p[0]); if (new Set(names).size !== names.length) fail(`repeated: ${r}`); for (const [k, v] of ps) if (!['server_no_context_takeover', 'client_no_context_takeover'].includes(k) ? !(/^(server|client)_max_window_bits$/.test(k) && Number(String(v).replace(/"/g, '')) >= 8 && Number(String(v).replace(/"/g, '')) <= 15) : v !== undefined) fail(r); return P; }, { extensions: EXT });
hs('13.2', 'client_max_window_bits not answered when not offered', (h) => h, (c) => !c.up ? fail(c.res?.line) : /client_max_window_bits/.test(c.res.headers['sec-websocket-extensions'] ?? '') ? fail(c.res.headers['sec-websocket-extensions']) : P, { extensions: 'permessage-deflate' });
for (const [i, o] of ['permessage-deflate; foo=1', 'permessage-deflate; server_max_window_bits=7', 'permessage-deflate; server_max_window_bits=16', 'permessage-deflate; server_max_window_bits', 'permessage-deflate; client_no_context_takeover=1', 'permessage-deflate; server_no_context_takeover; server_no_context_takeover', 'permessage-deflate; client_max_window_bits=abc'].entries())
  hs(`13.${3 + i}`, `invalid offer declined: ${o.slice(20)}`, (h) => h, (c) => (c.up ? (c.res.headers['sec-websocket-extensions'] ? fail(`accepted: ${c.res.headers['sec-websocket-extensions']}`) : P) : c.res?.status === 400 ? [N, '400 instead of declining'] : fail(c.res?.line ?? 'dropped')), { extensions: o });
add('13.10', 'second offer used when the first is invalid', async () => { const c = await open(A.url, { ...base, extensions: 'permessage-deflate; foo=1, permessage-deflate' }); conns.add(c); if (!c.up) return c.res?.status === 400 ? [N, '400'] : fail('dropped'); const r = c.res.headers['sec-websocket-extensions']; return r ? (/foo/.test(r) ? fail(r) : P) : A['require-deflate'] ? [N, 'no extension chosen'] : [S, 'not negotiated']; });
if (REQ) {
  z('12.1', 'compressed request answered', async (c) => { c.send({ op: 1, rsv: 4, payload: def(probe()) }); return answered(c); }); z('12.2', 'uncompressed request on a deflate connection', async (c) => { c.text(probe()); return answered(c); });
  z('12.3', 'compressed request in 1-octet fragments, RSV1 on the first only', async (c) => { const d = def(probe()); for (let i = 0; i < d.length; i++) c.send({ op: i ? 0 : 1, rsv: i ? 0 : 4, fin: i === d.length - 1, payload: d.subarray(i, i + 1) }); return answered(c); }); z('12.4', 'Ping (uncompressed) inside a compressed fragmented request', async (c) => { const d = def(probe()); c.send({ op: 1, rsv: 4, fin: false, payload: d.subarray(0, 2) }); if (!await c.ping(T)) fail('no Pong'); c.send({ op: 0, payload: d.subarray(2) }); return answered(c); });
  z('12.5', 'stored (uncompressed) deflate block', async (c) => { const m = probe(); const h = Buffer.alloc(5); h.writeUInt16LE(m.length, 1); h.writeUInt16LE(~m.length & 0xffff, 3); c.send({ op: 1, rsv: 4, payload: Buffer.concat([h, m, Buffer.from([0])]) }); return answered(c); });
  z('12.6', 'block with BFINAL=1 (7.2.3.4)', async (c) => { c.send({ op: 1, rsv: 4, payload: Buffer.concat([zlib.deflateRawSync(probe()), Buffer.from([0])]) }); return answered(c); }); z('12.7', 'two deflate blocks in one message', async (c) => { const p = probe(), h = p.length >> 1; const a = zlib.deflateRawSync(p.subarray(0, h), { finishFlush: zlib.constants.Z_SYNC_FLUSH }), b = zlib.deflateRawSync(p.subarray(h), { finishFlush: zlib.constants.Z_SYNC_FLUSH }); c.send({ op: 1, rsv: 4, payload: Buffer.concat([a, b.subarray(0, b.length - 4)]) }); return answered(c); });
  z('12.8', 'context takeover: second message refers to the first', async (c) => { if (/client_no_context_takeover/.test(c.ext)) return [S, 'server asked for no takeover']; const bits = Number(/client_max_window_bits="?(\d+)/.exec(c.ext)?.[1] ?? 15), d = zlib.createDeflateRaw({ windowBits: Math.max(9, bits) }); const one = (b) => new Promise((res) => { const parts = []; d.on('data', (x) => parts.push(x)); d.write(b); d.flush(zlib.constants.Z_SYNC_FLUSH, () => { d.removeAllListeners('data'); const x = Buffer.concat(parts); res(x.subarray(0, x.length - 4)); }); }); const x = await one(probe()), y = await one(probe()); d.close(); c.send({ op: 1, rsv: 4, payload: x }); c.send({ op: 1, rsv: 4, payload: y }); return answered(c, 2); });
}
z('12.9', 'empty compressed message', async (c) => { c.send({ op: 1, rsv: 4, payload: Buffer.from([0]) }); return tolerated(c); });
zbad('12.10', 'RSV1 on a continuation', () => [frame({ op: 1, rsv: 4, fin: false, payload: def(text()).subarray(0, 1) }), frame({ op: 0, rsv: 4, payload: def(text()).subarray(1) })], [1002]); zbad('12.11', 'RSV1 on a Ping', () => [frame({ op: 9, rsv: 4, payload: 'p' })], [1002]); zbad('12.12', 'RSV2 with deflate negotiated', () => [frame({ op: 1, rsv: 2, payload: text() })], [1002]);
zbad('12.13', 'data that is not deflate', () => [frame({ op: 1, rsv: 4, payload: Buffer.alloc(40, 0xff) })], [1007, 1002, 1003]); zbad('12.14', 'invalid UTF-8 after inflation', () => [frame({ op: 1, rsv: 4, payload: def(wrap(B('\xed\xa0\x80'))) })], [1007]);
if (MAX) zbad('12.15', 'bomb: inflates to 20 x the limit', () => [frame({ op: 1, rsv: 4, payload: def(Buffer.alloc(Math.min(MAX * 20, 2 ** 28), 32)) })], [1009]);

// ---- run
const only = A.only ? new RegExp(A.only) : null;
const todo = cases.filter((c) => (!only || only.test(c.id) || only.test(c.title)) && !(MAX && c.need > MAX));
if (A.list) { for (const c of todo) console.log(c.id, c.title); process.exit(0); }
const count = { pass: 0, nonstrict: 0, fail: 0, skip: 0 }, out = []; let next = 0;
async function worker() {
  for (;;) {
    const t = todo[next++]; if (!t) return; const t0 = performance.now(); let v, why = '';
    try { const r = await t.fn(); [v, why = ''] = Array.isArray(r) ? r : [r]; } catch (e) { v = e.v ?? F; why = e.v ? e.message : `error: ${e.message}`; }
    out.push({ id: t.id, title: t.title, verdict: v, why, ms: Math.round(performance.now() - t0) });
  }
}
await Promise.all(Array.from({ length: Number(A.concurrency) }, worker));
const faults = new Map(); for (const c of conns) { for (const f of c.serverFaults) faults.set(f, (faults.get(f) ?? 0) + 1); c.kill(); }
out.push({ id: '10.1', title: `every frame the server sent over ${conns.size} connections was well formed`, verdict: faults.size ? F : P, why: [...faults].map(([k, n]) => `${k} (${n}x)`).join('; '), ms: 0 });
const num = (s) => s.split('.').map((x) => x.padStart(6, '0')).join('.'); out.sort((a, b) => (num(a.id) < num(b.id) ? -1 : 1));
for (const o of out) { count[o.verdict]++; if (!A.quiet || o.verdict === F) console.log(`${o.verdict === F ? 'FAIL' : o.verdict.padEnd(4)} ${o.id.padEnd(9)} ${o.title}${o.why ? `  [${o.why}]` : ''}`); }
const passed = count.pass + (A.strict ? 0 : count.nonstrict), failed = count.fail + (A.strict ? count.nonstrict : 0);
if (A.json) writeFileSync(A.json, JSON.stringify({ url: A.url, count, cases: out }, null, 1));
console.log(`${count.pass} strict, ${count.nonstrict} non-strict, ${count.skip} skipped`); console.log(`${passed} passed, ${failed} failed`); process.exit(failed ? 1 : 0);
