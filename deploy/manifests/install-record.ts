/** What weft was installed with, kept in the cluster as a ConfigMap: `weft upgrade` begins from it. */
import { installRecordName } from '../../api/deployment.ts'
import { WeftError } from '../../core/errors.ts'
import { version } from '../../core/version.ts'
import type { InstallOptions, Manifest } from './install-options.ts'
import { inWeft } from './meta.ts'

export type Installed = { readonly version: string; readonly options: InstallOptions }

const versionKey = 'version'
const optionsKey = 'options.json'

export function installRecord(options: InstallOptions): Manifest {
  const { image, imagePullPolicy, trustDomain, interception, ha, issuerSecret } = options
  // JSON leaves out what is undefined.
  const kept = { image, imagePullPolicy, trustDomain, interception, ha, issuerSecret }
  return {
    apiVersion: 'v1',
    kind: 'ConfigMap',
    metadata: inWeft(installRecordName),
    data: { [versionKey]: version, [optionsKey]: JSON.stringify(kept) },
  }
}

function unreadable(detail: readonly string[]): WeftError {
  return new WeftError(
    'CONFIG_INVALID',
    `ConfigMap ${installRecordName} does not say how weft was installed`,
    {
      detail: [...detail, 'use weft install with the settings that it has'],
    },
  )
}

function parse(text: unknown): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(String(text))
    return typeof value === 'object' && value !== null ? (value as Readonly<Record<string, unknown>>) : {}
  } catch {
    return {}
  }
}

const isText = (value: unknown): boolean => typeof value === 'string' && value !== ''

/** What each setting may be; an older record may lack those that came later. */
const checks: { readonly [Name in keyof Required<InstallOptions>]: (value: unknown) => boolean } = {
  image: isText,
  imagePullPolicy: (value) => ['Always', 'IfNotPresent', 'Never'].includes(String(value)),
  trustDomain: isText,
  interception: (value) => ['init', 'cni'].includes(String(value)),
  ha: (value) => typeof value === 'boolean',
  issuerSecret: (value) => value === undefined || isText(value),
}

/** Reads the ConfigMap, as the API server gives it. Throws CONFIG_INVALID with what is wrong with it. */
export function readInstallRecord(object: unknown): Installed {
  const { data } = (object ?? {}) as { readonly data?: Readonly<Record<string, unknown>> }
  const options = parse(data?.[optionsKey])
  const wrong = Object.entries(checks).filter(([name, isRight]) => !isRight(options[name]))
  const problems = wrong.map(([name]) => `${optionsKey}: ${name} is missing or wrong`)
  const installed = data?.[versionKey]
  if (typeof installed !== 'string') problems.push(`${versionKey} is missing`)
  if (problems.length > 0) throw unreadable(problems)
  return { version: installed as string, options: options as unknown as InstallOptions }
}
