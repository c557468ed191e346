import { direct } from './peers/direct.ts'
import { envoy } from './peers/envoy.ts'
import { haproxy } from './peers/haproxy.ts'
import { nginx } from './peers/nginx.ts'
import { httpProxy, nodeHttp, nodeHttp2, undici } from './peers/node-peers.ts'
import { weftFile } from './peers/weft-file.ts'
import { weft } from './peers/weft.ts'

/** Everybody that can stand in a scenario. */
export const peers = [direct, weft, weftFile, haproxy, nginx, envoy, undici, nodeHttp, nodeHttp2, httpProxy]
