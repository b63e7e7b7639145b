package shop

import java.security.MessageDigest
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The answer to one request: the order as JSON, and a checksum over that text. */
class PricedOrder(val json: String, val checksum: String)

/** The chain of one request: load, decode, price, ask for the stock, encode, checksum, record. */
class Orders(
    private val documents: Documents,
    private val codec: Codec,
    private val stock: StockClient,
    private val surcharge: Surcharge,
    private val taxOffice: TaxOffice,
    private val ledger: Ledger,
) {
    suspend fun find(orderId: Int): PricedOrder {
        val order = decode(documents.load(orderId))
        val priced = price(order)
        val json = encode(priced.copy(inStock = stock.count(priced.lines.first().sku)))
        return PricedOrder(json, checksum(json)).also {
            ledger.record(it)
            settleSurcharge()
        }
    }

    private suspend fun decode(text: String): Order = withContext(Dispatchers.Default) { codec.decode(text) }

    private suspend fun encode(order: Order): String = withContext(Dispatchers.Default) { codec.encode(order) }

    private suspend fun price(order: Order): Order = withContext(Dispatchers.Default) {
        taxOffice.askBlocking()
        val lines = order.lines.map { it.copy(totalCents = withTax(it.unitCents * it.quantity, it.sku)) }
        order.copy(lines = lines, totalCents = lines.sumOf { it.totalCents })
    }

    private suspend fun checksum(text: String): String = withContext(Dispatchers.Default) {
        val digest = MessageDigest.getInstance("SHA-256").digest(text.toByteArray())
        digest.take(CHECKSUM_BYTES).joinToString("") { "%02x".format(it) }
    }

    private suspend fun settleSurcharge() = withContext(Dispatchers.Default) { surcharge.settle() }

    private companion object {
        const val CHECKSUM_BYTES = 8
    }
}

/** A tax of 0 to 15 %, by the hash of the article. */
private fun withTax(cents: Long, sku: String): Long {
    val percent = sku.fold(17L) { hash, char -> hash * 31 + char.code } and 15
    return cents + cents * percent / 100
}
