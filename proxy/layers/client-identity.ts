/**
 * Tells the application who its client is, as mesh mTLS has proven it: `x-forwarded-client-cert` in Envoy's form, and
 * `weft-client-id` with nothing but the name. What anybody else says in these fields is taken away.
 */
import type { FieldLines } from '../exchange.ts'
import { type HeaderList, nameBit } from '../header-list.ts'
import type { Layer } from '../layer.ts'

const certificateField = 'x-forwarded-client-cert'
const nameField = 'weft-client-id'
const mask = nameBit(certificateField.length, 0x78) | nameBit(nameField.length, 0x77)

/** Worked out once for a connection. `own` is our own name, `fingerprint` the SHA-256 of the certificate, in hex. */
export function identityFields(
  client: { readonly principal: string; readonly fingerprint: string },
  own: string | undefined,
): FieldLines {
  const { principal, fingerprint } = client
  const by = own === undefined ? '' : `By=${own};`
  const certificate = `${certificateField}: ${by}Hash=${fingerprint};URI=${principal}\r\n`
  return { lines: `${certificate}${nameField}: ${principal}\r\n`, mask }
}

/** In any spelling: an application that reads `x_forwarded_client_cert` as the same would believe it. */
function removeForged(headers: HeaderList): void {
  headers.removeSpelled(certificateField)
  headers.removeSpelled(nameField)
}

/** On the way to the application. */
export function clientIdentity(): Layer {
  return (next) =>
    function tellIdentity(x, receiver) {
      removeForged(x.headers)
      const { identity } = x.downstream
      if (identity !== undefined) x.headers.appendLines(identity.lines, identity.mask)
      next(x, receiver)
    }
}

/** On the way out: who somebody else's client was is nothing that an application can prove. */
export function withoutClientIdentity(): Layer {
  return (next) =>
    function removeIdentity(x, receiver) {
      removeForged(x.headers)
      next(x, receiver)
    }
}
