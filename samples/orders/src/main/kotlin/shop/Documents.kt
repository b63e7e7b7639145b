package shop

import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext
import kotlin.time.Duration

/** The database: it answers with the text of an order, after the order's waiting time, and [largeWait] more for a large one. */
class Documents(largeOrderLines: Int, private val largeShare: Double, private val largeWait: Duration) {
    // Two documents serve all orders, so the memory does not grow with the ids that were asked for.
    private val small = documentWith(SMALL_ORDER_LINES)
    private val large = documentWith(largeOrderLines)

    suspend fun load(orderId: Int): String = withContext(Dispatchers.IO) {
        val isLarge = isLarge(orderId, largeShare)
        delay(waitingTimeOf(orderId, largeShare) + if (isLarge) largeWait else Duration.ZERO)
        val document = if (isLarge) large else small
        document.replaceFirst(ID_FIELD, "\"id\":$orderId")
    }

    private fun documentWith(lineCount: Int): String = FastCodec().encode(newOrder(TEMPLATE_ID, lineCount))

    private companion object {
        const val SMALL_ORDER_LINES = 8
        const val TEMPLATE_ID = 0
        const val ID_FIELD = "\"id\":$TEMPLATE_ID"
    }
}
