/** Requests that try to get by a policy on `/private`: a row is a trick, `send` is told the bytes of each. */
import http2 from 'node:http2'
import { exchangeRaw } from './raw-tcp.ts'

/** What an application that thinks it is asked for `/private` answers with. */
export const secret = 'SECRET'

export type Trick = { readonly name: string; readonly send: (port: number) => Promise<string> }

const paths = [
  '/private',
  '/private/',
  '/private/x',
  '/private?x',
  '//private',
  '///private',
  '//x/private',
  '//x/../private',
  '/./private',
  '/.//private',
  '/x/../private',
  '/x/..//private',
  '/../private',
  '/x/y/../../private',
  '/private/.',
  '/private/x/..',
  '/private//',
  '/%70rivate',
  '/privat%65',
  '/%50RIVATE',
  '/%2fprivate',
  '/%2Fprivate',
  '/x/..%2fprivate',
  '/x/..%2Fprivate',
  '/x%2f..%2fprivate',
  '/private%2f',
  '/private%2fx',
  '/%2e/private',
  '/%2E/private',
  '/x/%2e%2e/private',
  '/x/.%2e/private',
  '/x/%2e./private',
  '/x/%2e%2e%2fprivate',
  '/private;x',
  '/private;x=y/z',
  '/private;',
  '/;x/private',
  '/x;y/../private',
  '/x/..;/private',
  '/x/..;y/private',
  '/x/.;/../private',
  '/x/%2e%2e;/private',
  '/private%3bx',
  '/PRIVATE',
  '/Private/x',
  '/private%00',
  '/private%00.png',
  '/private%0a',
  '/private%09',
  '/private%3fx',
  '/private%23x',
  '/\\private',
  '/x/..\\private',
  '/x\\..\\private',
  '/%5cprivate',
  '/x/..%5cprivate',
  '/private\\x',
  '/%c0%afprivate',
  '/x/..%c0%afprivate',
  '/%e0%80%afprivate',
  '/%c0%ae%c0%ae/private',
  '/x/%252e%252e/private',
  '/%2570rivate',
  '/x%252f..%252fprivate',
  // Encoded twice, in parts.
  '/x%25%32%66..%25%32%66private',
  '/%25%37%30rivate',
  '/x/%25%32%65%25%32%65/private',
  '/x/..%3b/private',
  '/x/..%3bx/private',
  '/x/%2e%2e%3b/private',
  // What some file systems drop at the end of a name.
  '/private%20',
  '/private.',
  '/private./x',
  '/private%2e',
  '/private%20/x',
  '/x/..%20/private',
  // The same in another form of Unicode.
  '/%EF%BD%90rivate',
  '/x%EF%BC%8F..%EF%BC%8Fprivate',
  '/x/%EF%BC%8E%EF%BC%8E/private',
  '/x/%E2%80%A5/private',
  '/x%EF%BC%BC..%EF%BC%BCprivate',
  '/%EF%BC%8Fprivate',
] as const

/** What HTTP/2 reads with a codec of its own; a connection each. */
const pathsOverHttp2 = [
  '/private',
  '/x/../private',
  '//private',
  '/%2fprivate',
  '/x/..;/private',
  '/PRIVATE;x',
  '/x\\..\\private',
  '/x%25%32%66..%25%32%66private',
  '/private%00',
] as const

async function text(port: number, bytes: string): Promise<string> {
  const answer = await exchangeRaw(port, [bytes])
  return answer.text
}

function raw(name: string, bytes: string): Trick {
  return { name, send: (port) => text(port, bytes) }
}

/** Where requests go, as a client of the guarded port, or of another sidecar, has to say it. */
type To = { readonly host: string; readonly fields: string }

const guarded = toHost('app.test')

function toHost(host: string): To {
  return { host, fields: `Host: ${host}\r\nConnection: close\r\n` }
}

function head(target: string, more: string, method = 'GET'): string {
  return `${method} ${target} HTTP/1.1\r\n${more}\r\n`
}

/** Without TLS and without asking: what a server would take that speaks it. */
function overHttp2(pseudo: Readonly<Record<string, string>>): Trick {
  return {
    name: `HTTP/2 in clear, ${Object.entries(pseudo).flat().join(' ')}`,
    send: (port) =>
      new Promise((resolve) => {
        let body = ''
        const session = http2.connect(`http://127.0.0.1:${port}`)
        const end = (): void => {
          session.destroy()
          resolve(body)
        }
        session.on('error', end)
        session.on('close', end)
        const stream = session.request(pseudo)
        stream.setEncoding('latin1')
        stream.on('data', (piece: string) => {
          body += piece
        })
        stream.on('error', end)
        stream.on('end', end)
      }),
  }
}

function pathsFrom(open: string): readonly string[] {
  return [...paths, ...paths.map((path) => `${open}/..${path}`), ...paths.map((path) => `${open}${path}`)]
}

/** The paths alone, as a client says them to a sidecar that passes them on to the one that decides. */
export function proxiedPathTricks(open: string, host: string): readonly Trick[] {
  const { fields } = toHost(host)
  return pathsFrom(open).map((path) => raw(path, head(`http://${host}${path}`, fields)))
}

/** `open` is a path that the policy lets pass: tricks begin there, too. */
export function pathTricks(open: string): readonly Trick[] {
  const { fields } = guarded
  return [
    ...pathsFrom(open).map((path) => raw(path, head(path, fields))),
    ...paths.map((path) => raw(`absolute ${path}`, head(`http://app.test${path}`, fields))),
    ...otherTargets(open),
    ...otherBeginnings(open),
    ...hiddenRequests(open),
    // Fields that some frameworks take for the path.
    ...['X-Original-URL', 'x-rewrite-url', 'X_Original_Url'].flatMap((name) =>
      ['/private', 'http://app.test/private', '/x/../private', '/%70rivate'].map((path) =>
        raw(`${name}: ${path}`, head(open, `${fields}${name}: ${path}\r\n`)),
      ),
    ),
    // Pseudo fields: each is one more way to say where to.
    ...pathsOverHttp2.map((path) => overHttp2({ ':path': path })),
    overHttp2({ ':path': '/%70rivate', ':authority': 'public.test' }),
    overHttp2({ ':path': 'http://app.test/private' }),
    overHttp2({ ':path': 'private' }),
    overHttp2({ ':path': '/private HTTP/1.1' }),
    overHttp2({ ':path': '*' }),
    overHttp2({ ':path': open, host: 'app.test/private' }),
    overHttp2({ ':path': open, ':authority': 'app.test/private' }),
    overHttp2({ ':path': open, ':authority': 'a.test', host: 'b.test' }),
    overHttp2({ ':path': open, 'x-original-url': '/private' }),
  ]
}

function otherTargets(open: string): readonly Trick[] {
  const { fields } = guarded
  return [
    raw(
      'absolute, another Host',
      head('http://app.test/private', 'Host: public.test\r\nConnection: close\r\n'),
    ),
    raw('absolute, a scheme in capitals', head('HTTP://APP.TEST/private', fields)),
    raw('absolute, the path in Host', head(open, 'Host: app.test/private\r\nConnection: close\r\n')),
    raw('absolute, another scheme', head('https://app.test/private', fields)),
    raw('absolute, with userinfo', head('http://a@app.test/private', fields)),
    raw('two Hosts', head('/private', `Host: public.test\r\n${fields}`)),
    raw('no Host', head('/private', 'Connection: close\r\n')),
    raw('a fragment', head(`${open}#/../private`, fields)),
    ...['get', 'GET', 'PRI', 'POST', 'OPTIONS'].map((method) =>
      raw(`method ${method}`, head('/private', fields, method)),
    ),
  ]
}

function otherBeginnings(open: string): readonly Trick[] {
  const { fields } = guarded
  return [
    raw('HTTP/1.0', 'GET /private HTTP/1.0\r\n\r\n'),
    raw('HTTP/0.9', 'GET /private\r\n\r\n'),
    raw('an empty line before it', `\r\n${head('/private', fields)}`),
    raw('empty lines before it', `\r\n\r\n\r\n${head('/private', fields)}`),
    raw('bytes of no protocol before it', `\0\x01${head('/private', fields)}`),
    raw("the beginning of HTTP/2's preface before it", `PRI * HTTP/2.0\r\n\r\n${head('/private', fields)}`),
    raw('a tab in the request line', `GET\t/private HTTP/1.1\r\n${fields}\r\n`),
    raw('two spaces in the request line', `GET  /private HTTP/1.1\r\n${fields}\r\n`),
    raw('a bare LF', `GET /private HTTP/1.1\nHost: app.test\n\n`),
    raw(
      'an upgrade to h2c',
      head(
        '/private',
        `${fields.replace('close', 'close, Upgrade, HTTP2-Settings')}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`,
      ),
    ),
    raw('CONNECT', head('app.test:80', fields, 'CONNECT') + head('/private', fields)),
    raw(
      'behind an upgrade that nobody answers',
      `GET ${open} HTTP/1.1\r\nHost: app.test\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n${head('/private', fields)}`,
    ),
  ]
}

/** Inside of what may pass. */
function hiddenRequests(open: string): readonly Trick[] {
  const inside = head('/private', guarded.fields)
  const post = (more: string, body: string): string =>
    `POST ${open} HTTP/1.1\r\nHost: app.test\r\n${more}\r\n\r\n${body}`
  return [
    raw('behind another request', `GET ${open} HTTP/1.1\r\nHost: app.test\r\n\r\n${inside}`),
    raw('two lengths', post('Content-Length: 4\r\nContent-Length: 0', inside)),
    raw(
      'chunked and a length',
      post('Content-Length: 4\r\nTransfer-Encoding: chunked', `0\r\n\r\n${inside}`),
    ),
    raw('a chunked that is none', post('Transfer-Encoding: xchunked', inside)),
    raw(
      'a length that is hidden by Connection',
      post('Connection: Content-Length\r\nContent-Length: 4', inside),
    ),
    raw('HEAD and then a body', `HEAD ${open} HTTP/1.1\r\nHost: app.test\r\n\r\n${inside}`),
  ]
}
