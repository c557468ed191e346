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
] as const

async function text(port: number, bytes: string): Promise<string> {
  const answer = await exchangeRaw(port, [bytes])
  return answer.text
}

function raw(name: string, bytes: string): Trick {
  return { name, send: (port) => text(port, bytes) }
}

const fields = 'Host: app.test\r\nConnection: close\r\n'

function head(target: string, more = fields, method = 'GET'): string {
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

/** `open` is a path that the policy lets pass: tricks begin there, too. */
export function pathTricks(open: string): readonly Trick[] {
  const from = [
    ...paths,
    ...paths.map((path) => `${open}/..${path}`),
    ...paths.map((path) => `${open}${path}`),
  ]
  return [
    ...from.map((path) => raw(path, head(path))),
    ...paths.map((path) => raw(`absolute ${path}`, head(`http://app.test${path}`))),
    raw(
      'absolute, another Host',
      head('http://app.test/private', 'Host: public.test\r\nConnection: close\r\n'),
    ),
    raw('absolute, a scheme in capitals', head('HTTP://APP.TEST/private')),
    raw('absolute, the path in Host', head(open, 'Host: app.test/private\r\nConnection: close\r\n')),
    raw('absolute, another scheme', head('https://app.test/private')),
    raw('two Hosts', head('/private', `Host: public.test\r\n${fields}`)),
    raw('no Host', head('/private', 'Connection: close\r\n')),
    raw('HTTP/1.0', 'GET /private HTTP/1.0\r\n\r\n'),
    raw('HTTP/0.9', 'GET /private\r\n\r\n'),
    raw('an empty line before it', `\r\n${head('/private')}`),
    raw('a tab in the request line', `GET\t/private HTTP/1.1\r\n${fields}\r\n`),
    raw('two spaces in the request line', `GET  /private HTTP/1.1\r\n${fields}\r\n`),
    raw('a bare LF', `GET /private HTTP/1.1\nHost: app.test\n\n`),
    raw('a fragment', head(`${open}#/../private`)),
    raw('behind another request', `GET ${open} HTTP/1.1\r\nHost: app.test\r\n\r\n${head('/private')}`),
    raw(
      'in the body of another request, two lengths',
      `POST ${open} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nContent-Length: 0\r\n\r\n${head('/private')}`,
    ),
    raw(
      'in the body of another request, chunked and a length',
      `POST ${open} HTTP/1.1\r\nHost: app.test\r\nContent-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n${head('/private')}`,
    ),
    raw(
      'in the body of another request, a chunked that is none',
      `POST ${open} HTTP/1.1\r\nHost: app.test\r\nTransfer-Encoding: xchunked\r\n\r\n${head('/private')}`,
    ),
    raw('HEAD and then a body', `HEAD ${open} HTTP/1.1\r\nHost: app.test\r\n\r\n${head('/private')}`),
    raw(
      'an upgrade to h2c',
      head(
        '/private',
        `${fields.replace('close', 'close, Upgrade, HTTP2-Settings')}Upgrade: h2c\r\nHTTP2-Settings: AAMAAABkAAQAAP__\r\n`,
      ),
    ),
    raw('CONNECT', head('app.test:80', fields, 'CONNECT') + head('/private')),
    ...['get', 'GET', 'PRI', 'POST'].map((method) =>
      raw(`method ${method}`, head('/private', fields, method)),
    ),
    // Pseudo fields: each is one more way to say where to.
    overHttp2({ ':path': '/private' }),
    overHttp2({ ':path': '/x/../private' }),
    overHttp2({ ':path': '//private' }),
    overHttp2({ ':path': '/%70rivate', ':authority': 'public.test' }),
  ]
}
