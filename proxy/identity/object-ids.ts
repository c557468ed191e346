/** Object identifiers, as the hex of their DER content. */
export const oids = {
  subjectAltName: '551d11',
  extendedKeyUsage: '551d25',
  basicConstraints: '551d13',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
  extensionRequest: '2a864886f70d01090e',
  ecdsaWithSha256: '2a8648ce3d040302',
} as const
