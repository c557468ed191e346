/** The key pair that signs workload tokens where there is no cluster to do it. */
import { type KeyObject, createPrivateKey, createPublicKey, generateKeyPairSync } from 'node:crypto'
import { WeftError, reasonOf } from '../../core/errors.ts'
import type { StateFolder } from './state-folder.ts'

const PRIVATE_FILE = 'token-key.pem'
const PUBLIC_FILE = 'token-key.pub.pem'

export type TokenKey = { readonly privateKey: KeyObject; readonly publicKey: KeyObject }

/** Reads the key pair, or makes it. Throws STATE_FOLDER_UNUSABLE, STATE_FILE_INVALID or STATE_FILE_EXPOSED. */
export function openTokenKey(folder: StateFolder): TokenKey {
  const pem = folder.readPrivate(PRIVATE_FILE) ?? folder.createPrivate(PRIVATE_FILE, makeKey())
  const key = parse(pem, folder.fileOf(PRIVATE_FILE))
  const publicPem = key.publicKey.export({ format: 'pem', type: 'spki' }) as string
  const kept = folder.read(PUBLIC_FILE) ?? folder.createPublic(PUBLIC_FILE, publicPem)
  if (kept.trim() !== publicPem.trim()) {
    const file = folder.fileOf(PUBLIC_FILE)
    throw new WeftError('STATE_FILE_INVALID', `${file} does not belong to the private key beside it`)
  }
  return key
}

function makeKey(): string {
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' })
  return privateKey.export({ format: 'pem', type: 'pkcs8' }) as string
}

function parse(pem: string, file: string): TokenKey {
  try {
    const privateKey = createPrivateKey(pem)
    if (privateKey.asymmetricKeyDetails?.namedCurve !== 'prime256v1') throw new Error('it is not a P-256 key')
    return { privateKey, publicKey: createPublicKey(pem) }
  } catch (error) {
    throw new WeftError('STATE_FILE_INVALID', `${file} is not usable: ${reasonOf(error)}`, { cause: error })
  }
}
