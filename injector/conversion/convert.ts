/** An object of SMI in another of its versions, found by kind. Pure. */
import { httpRouteGroupConversion, tcpRouteConversion } from './route-specs.ts'
import { type Conversion, type SmiObject, type SmiVersion, smiVersions } from './smi-object.ts'
import { trafficSplitConversion } from './traffic-split.ts'
import { trafficTargetConversion } from './traffic-target.ts'

const conversions: ReadonlyMap<string, Conversion> = new Map([
  ['split.smi-spec.io TrafficSplit', trafficSplitConversion],
  ['specs.smi-spec.io HTTPRouteGroup', httpRouteGroupConversion],
  ['specs.smi-spec.io TCPRoute', tcpRouteConversion],
  ['access.smi-spec.io TrafficTarget', trafficTargetConversion],
])

type Place = { readonly group: string; readonly version: SmiVersion | undefined }

function placeOf(apiVersion: unknown): Place {
  const [group = '', name] = typeof apiVersion === 'string' ? apiVersion.split('/') : []
  return { group, version: smiVersions.find((version) => version === name) }
}

export type ConvertedObject =
  | { readonly ok: true; readonly object: SmiObject }
  | { readonly ok: false; readonly problem: string }

/** `object` in `apiVersion`, which is of the same group; a problem for kinds and versions that are not SMI's. */
export function convertObject(object: SmiObject, apiVersion: string): ConvertedObject {
  const { apiVersion: current, kind } = object
  const [from, to] = [placeOf(current), placeOf(apiVersion)]
  const conversion = conversions.get(`${from.group} ${String(kind)}`)
  const isKnown = from.version !== undefined && to.version !== undefined && from.group === to.group
  if (conversion === undefined || !isKnown)
    return { ok: false, problem: `${String(kind)} is not converted from ${String(current)} to ${apiVersion}` }
  if (from.version === to.version) return { ok: true, object }
  const newest = conversion.up(object, from.version as SmiVersion)
  return { ok: true, object: { ...conversion.down(newest, to.version as SmiVersion), apiVersion } }
}
