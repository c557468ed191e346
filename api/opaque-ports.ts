/** Ports whose protocols wait for the server to speak first, or look like another: SMTP, MySQL, Galera, PostgreSQL, Redis, Elasticsearch, Memcached. */
import { type PortRange, parsePortRanges } from '../core/port-ranges.ts'

/** Linkerd's. */
const text = '25,587,3306,4444,4567,4568,5432,6379,9300,11211'

/** Opaque unless an annotation of the Service, the Pod or the Namespace says otherwise. */
export const defaultOpaquePorts: readonly PortRange[] = parsePortRanges(text) ?? []
