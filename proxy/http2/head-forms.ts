/** Which form the heads of a connection have, by the protocol that TLS has agreed on. */
import type { HeadForm } from './head-form.ts'
import { HpackForm } from './hpack-form.ts'
import { TextForm } from './text-form.ts'

/** One for each connection. `weft-m1`: HTTP/1 between sidecars, many exchanges on one connection. */
export function headForm(alpn: string): HeadForm {
  return alpn === 'weft-m1' ? new TextForm() : new HpackForm()
}
