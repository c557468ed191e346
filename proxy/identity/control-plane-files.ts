/** The files that lead to the control plane; read anew for each connection, so that rotated ones are noticed. */
import { Buffer } from 'node:buffer'
import { readFileSync } from 'node:fs'
import { reasonOf, WeftError } from '../../core/errors.ts'
import { parseTrustBundle } from './trust-bundle.ts'

/** The token in the file. Throws TOKEN_FILE_UNREADABLE or TOKEN_MALFORMED. */
export function readToken(file: string): string {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('TOKEN_FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
  const token = text.trim()
  if (token === '' || /\s/.test(token))
    throw new WeftError('TOKEN_MALFORMED', `${file} does not hold one token`)
  return token
}

/** The roots in the file, PEM; what is no root would be an error that no one could make sense of in gRPC. Throws FILE_UNREADABLE or CERTIFICATE_INVALID. */
export function readRoots(file: string): Buffer {
  let text: string
  try {
    text = readFileSync(file, 'utf8')
  } catch (error) {
    throw new WeftError('FILE_UNREADABLE', reasonOf(error), { cause: error })
  }
  try {
    return Buffer.from(parseTrustBundle(text).pem)
  } catch (error) {
    throw new WeftError('CERTIFICATE_INVALID', `${file}: ${reasonOf(error)}`, { cause: error })
  }
}
