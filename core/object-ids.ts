/** Object identifiers, as the hex of their DER content. */
export const oids = {
  subjectAltName: '551d11',
  extendedKeyUsage: '551d25',
  basicConstraints: '551d13',
  keyUsage: '551d0f',
  authorityKeyId: '551d23',
  serverAuth: '2b06010505070301',
  clientAuth: '2b06010505070302',
  extensionRequest: '2a864886f70d01090e',
  ecdsaWithSha256: '2a8648ce3d040302',
  ecdsaWithSha384: '2a8648ce3d040303',
  ecdsaWithSha512: '2a8648ce3d040304',
  sha256WithRsa: '2a864886f70d01010b',
  sha384WithRsa: '2a864886f70d01010c',
  sha512WithRsa: '2a864886f70d01010d',
  ed25519: '2b6570',
} as const
