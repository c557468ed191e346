/** An exchange for tests of layers and routes, as if a client on this machine had sent it. */
import { Body } from './body.ts'
import { type Downstream, Exchange } from './exchange.ts'
import { HeaderList } from './header-list.ts'

export type TestRequest = {
  readonly method?: string
  readonly target?: string
  readonly authority?: string
  readonly headers?: Readonly<Record<string, string>>
  readonly body?: Body
  readonly upgrade?: string
  readonly principal?: string | undefined
  readonly startedAtMs?: number
}

export const downstream: Downstream = {
  direction: 'outbound',
  peerAddress: '127.0.0.1',
  peerPort: 1,
  meshTls: false,
  principal: undefined,
  originalDestination: undefined,
  applicationPort: 0,
  stats: undefined,
}

export function testExchange(request: TestRequest = {}): Exchange {
  const {
    method = 'GET',
    target = '/',
    authority = 'catalog:8080',
    headers = {},
    body = Body.empty,
  } = request
  return new Exchange(
    { ...downstream, principal: request.principal },
    {
      method,
      target,
      authority,
      absoluteForm: false,
      headers: HeaderList.of('Host', authority, ...Object.entries(headers).flat()),
      acceptsTrailers: false,
      upgrade: request.upgrade,
    },
    body,
    request.startedAtMs ?? 0,
  )
}
