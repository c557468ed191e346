/** The request matrix through a real sidecar on real sockets: the grammar and the limits of heads. */
import { requestGrammarRows } from './request-grammar-rows.ts'
import { testRows } from './request-suite.ts'

testRows(requestGrammarRows)
