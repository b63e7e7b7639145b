package shop

import kotlin.math.floor
import kotlin.math.pow
import kotlin.time.Duration
import kotlin.time.Duration.Companion.milliseconds

/**
 * How long the database lets an order wait, as a function of its id alone: every pod and every run sees the same
 * distribution, and two codecs can be compared without the noise of a random generator.
 *
 * rank of the order → size,  waiting time
 * 0 to 0.9775       → small, log-logistic body (close to a lognormal): median 15 ms, longest 52 ms
 * 0.9775 to 1       → large, evenly between 62 and 78 ms
 *
 * So one order in 44 is large, and the 99th percentile of orders falls amid the large ones. Where requests are counted at
 * the socket, each order asks for its stock too and is only one of two: the share of large ones can be set.
 */
fun waitingTimeOf(orderId: Int, largeShare: Double = LARGE_ORDER_SHARE): Duration {
    val rank = rankOf(orderId)
    val millis = if (rank < 1 - largeShare) bodyMillis(rank) else tailMillis(rank, largeShare)
    return millis.milliseconds
}

fun isLarge(orderId: Int, largeShare: Double = LARGE_ORDER_SHARE): Boolean = rankOf(orderId) >= 1 - largeShare

const val LARGE_ORDER_SHARE = 0.0225

private const val BODY_MEDIAN_MS = 15.0
private const val BODY_SHAPE = 0.33

private const val TAIL_SHORTEST_MS = 62.0
private const val TAIL_LONGEST_MS = 78.0

private const val GOLDEN_RATIO = 0.6180339887498949

/** From 0 up to 1. Multiples of the golden ratio fill the unit interval evenly for any run of consecutive ids. */
private fun rankOf(orderId: Int): Double {
    val turns = orderId * GOLDEN_RATIO
    return turns - floor(turns)
}

private fun bodyMillis(rank: Double): Double = BODY_MEDIAN_MS * (rank / (1 - rank)).pow(BODY_SHAPE)

private fun tailMillis(rank: Double, largeShare: Double): Double {
    val position = (rank - (1 - largeShare)) / largeShare
    return TAIL_SHORTEST_MS + position * (TAIL_LONGEST_MS - TAIL_SHORTEST_MS)
}
