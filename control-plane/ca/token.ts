/** Workload tokens: JWTs signed with ES256, made by `weft token create` and checked by the control plane. */
import { type KeyObject, randomUUID, sign, verify } from 'node:crypto'
import { tokenAudience } from '../../api/token.ts'
import type { Clock } from '../../core/clock.ts'
import { WeftError } from '../../core/errors.ts'
import {
  type Authenticator,
  type WorkloadIdentity,
  formatSubject,
  isWorkloadIdentity,
  parseSubject,
} from './authenticator.ts'

export const TOKEN_ISSUER = 'weft'
/** Tokens of Kubernetes have about 1 KiB. */
export const LARGEST_TOKEN_BYTES = 8 * 1024
/** How far the clocks of the machine that made the token and of ours may be apart. */
const CLOCK_SKEW_S = 30
const HEADER = encode({ alg: 'ES256', typ: 'JWT' })

/** A token for a workload, valid from now for `ttlMs`. Throws TOKEN_NOT_SERVICE_ACCOUNT if a name is not valid. */
export function createToken(options: {
  readonly privateKey: KeyObject
  readonly identity: WorkloadIdentity
  readonly ttlMs: number
  readonly clock: Clock
  readonly audience?: string
}): string {
  const { identity, clock } = options
  if (!isWorkloadIdentity(identity)) {
    const names = `namespace "${identity.namespace}", service account "${identity.serviceAccount}"`
    throw new WeftError('TOKEN_NOT_SERVICE_ACCOUNT', `not valid names: ${names}`)
  }
  const nowS = Math.floor(clock.wallMs() / 1000)
  const claims = encode({
    iss: TOKEN_ISSUER,
    sub: formatSubject(identity),
    aud: [options.audience ?? tokenAudience],
    iat: nowS,
    nbf: nowS,
    exp: nowS + Math.ceil(options.ttlMs / 1000),
    jti: randomUUID(),
  })
  const signed = `${HEADER}.${claims}`
  const signature = sign('sha256', Buffer.from(signed), {
    key: options.privateKey,
    dsaEncoding: 'ieee-p1363',
  })
  return `${signed}.${signature.toString('base64url')}`
}

/** Accepts tokens of `createToken` that were signed with the key of this control plane, for its audience. */
export class TokenAuthenticator implements Authenticator {
  readonly #publicKey: KeyObject
  readonly #clock: Clock
  readonly #audience: string

  constructor(options: { readonly publicKey: KeyObject; readonly clock: Clock; readonly audience?: string }) {
    this.#publicKey = options.publicKey
    this.#clock = options.clock
    this.#audience = options.audience ?? tokenAudience
  }

  /** Nothing of the claims is believed, nor told, before the signature is checked. */
  async authenticate(bearer: string): Promise<WorkloadIdentity> {
    if (bearer.length > LARGEST_TOKEN_BYTES) {
      throw new WeftError('TOKEN_TOO_LARGE', `the token has ${bearer.length} bytes`)
    }
    const claims = verifySignature(bearer, this.#publicKey)
    this.#checkClaims(claims)
    const subject = typeof claims['sub'] === 'string' ? claims['sub'] : ''
    const identity = parseSubject(subject)
    if (identity === undefined) {
      throw new WeftError('TOKEN_NOT_SERVICE_ACCOUNT', `the subject is "${subject.slice(0, 100)}"`)
    }
    return identity
  }

  #checkClaims(claims: Claims): void {
    const { iss, aud, exp, nbf } = claims
    if (iss !== TOKEN_ISSUER) throw new WeftError('TOKEN_INVALID', 'the token has another issuer')
    const audiences = Array.isArray(aud) ? (aud as unknown[]) : [aud]
    if (!audiences.includes(this.#audience)) {
      throw new WeftError(
        'TOKEN_WRONG_AUDIENCE',
        `the audience is ${JSON.stringify(aud)}, not "${this.#audience}"`,
      )
    }
    const nowS = this.#clock.wallMs() / 1000
    if (typeof exp !== 'number' || !Number.isFinite(exp)) {
      throw new WeftError('TOKEN_INVALID', 'the token has no expiry')
    }
    if (nowS >= exp + CLOCK_SKEW_S) {
      throw new WeftError('TOKEN_EXPIRED', `the token expired ${Math.round(nowS - exp)} s ago`)
    }
    if (nbf !== undefined && (typeof nbf !== 'number' || nowS < nbf - CLOCK_SKEW_S)) {
      throw new WeftError('TOKEN_NOT_YET_VALID', 'the token is not valid yet')
    }
  }
}

type Claims = Readonly<Record<string, unknown>>

function verifySignature(token: string, publicKey: KeyObject): Claims {
  const parts = /^([\w-]+)\.([\w-]+)\.([\w-]+)$/.exec(token)
  if (parts === null) throw new WeftError('TOKEN_MALFORMED', 'the token is not three base64url parts')
  const [, header = '', claims = '', signature = ''] = parts
  // The algorithm is ours to choose: a token that names another one is not even tried.
  if (decode(header)['alg'] !== 'ES256')
    throw new WeftError('TOKEN_MALFORMED', 'the token is not signed by ES256')
  const key = { key: publicKey, dsaEncoding: 'ieee-p1363' } as const
  if (!verify('sha256', Buffer.from(`${header}.${claims}`), key, Buffer.from(signature, 'base64url'))) {
    throw new WeftError('TOKEN_SIGNATURE_INVALID', 'the signature of the token is not ours')
  }
  return decode(claims)
}

function encode(value: object): string {
  return Buffer.from(JSON.stringify(value)).toString('base64url')
}

function decode(part: string): Claims {
  let value: unknown
  try {
    value = JSON.parse(Buffer.from(part, 'base64url').toString('utf8'))
  } catch (error) {
    throw new WeftError('TOKEN_MALFORMED', 'a part of the token is not JSON', { cause: error })
  }
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    throw new WeftError('TOKEN_MALFORMED', 'a part of the token is not an object')
  }
  return value as Claims
}
