/** SMI's kinds as weft's CRDs define them: in four versions, between which the injector converts. */
export const convertedCrds = [
  'trafficsplits.split.smi-spec.io',
  'httproutegroups.specs.smi-spec.io',
  'tcproutes.specs.smi-spec.io',
  'traffictargets.access.smi-spec.io',
] as const

/** Where the API server asks the injector for another version. */
export const conversionPath = '/convert'
