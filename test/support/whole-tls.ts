/**
 * Loads `node:tls` before any test does: where http2, https and tls are first asked for by several modules of one
 * worker thread at once, Node 26 now and then keeps a tls without its functions for the rest of the thread.
 */

import 'node:tls'
