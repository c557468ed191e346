/** The X.509 library, loaded with the polyfill that it asks for first. */
import 'reflect-metadata'

export * from '@peculiar/x509'

/** The one signature scheme with which weft signs certificates. */
export const SIGNING = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const
