package shop

import io.ktor.client.HttpClient
import io.ktor.client.engine.cio.CIO
import io.ktor.client.engine.cio.endpoint
import io.ktor.client.request.get
import io.ktor.client.statement.bodyAsText

/** Asks the stock service over HTTP. The service plays that part too, so the call goes to its own port. */
class StockClient(port: Int) : AutoCloseable {
    private val baseUrl = "http://127.0.0.1:$port/stock"

    private val http = HttpClient(CIO) {
        engine {
            maxConnectionsCount = MAX_CONNECTIONS
            endpoint {
                maxConnectionsPerRoute = MAX_CONNECTIONS
                keepAliveTime = KEEP_ALIVE_MS
            }
        }
    }

    suspend fun count(sku: String): Int = http.get("$baseUrl/$sku").bodyAsText().toInt()

    override fun close() = http.close()

    private companion object {
        // 60 requests a second, each here for a few milliseconds, need one or two; the rest is for bursts.
        const val MAX_CONNECTIONS = 32
        const val KEEP_ALIVE_MS = 30_000L
    }
}

fun stockOf(sku: String): Int = sku.hashCode() and 63
