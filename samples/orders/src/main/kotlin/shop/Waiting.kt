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
 * So one order in 44 is large, and the 99th percentile of the service falls amid the large ones.
 */
fun waitingTimeOf(orderId: Int): Duration {
    val rank = rankOf(orderId)
    val millis = if (rank < LARGE_FROM_RANK) bodyMillis(rank) else tailMillis(rank)
    return millis.milliseconds
}

fun isLarge(orderId: Int): Boolean = rankOf(orderId) >= LARGE_FROM_RANK

private const val LARGE_FROM_RANK = 0.9775

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

private fun tailMillis(rank: Double): Double {
    val position = (rank - LARGE_FROM_RANK) / (1 - LARGE_FROM_RANK)
    return TAIL_SHORTEST_MS + position * (TAIL_LONGEST_MS - TAIL_SHORTEST_MS)
}
