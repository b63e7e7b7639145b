package shop

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertTrue
import kotlin.time.Duration.Companion.milliseconds

class WaitingTest {
    @Test
    fun `any thousand consecutive orders have the same median, tail and share of large ones`() {
        for (first in listOf(0, 1_000, 123_456, 2_000_000_000)) {
            val ids = first until first + 1_000
            val waits = ids.map(::waitingTimeOf).sorted()

            assertTrue(waits[500] in 14.7.milliseconds..15.3.milliseconds, "median ${waits[500]} from $first")
            assertTrue(waits[990] in 70.milliseconds..72.milliseconds, "99th percentile ${waits[990]} from $first")
            assertTrue(ids.count(::isLarge) in 21..24, "${ids.count(::isLarge)} large from $first")
        }
    }

    @Test
    fun `every large order waits longer than every small one`() {
        val (large, small) = (1..10_000).partition(::isLarge)

        assertTrue(large.minOf(::waitingTimeOf) > small.maxOf(::waitingTimeOf))
    }

    @Test
    fun `with more large orders the small ones wait as before`() {
        val (large, small) = (1..10_000).partition { isLarge(it, largeShare = 0.05) }

        assertTrue(large.size in 499..501, "${large.size} large")
        assertTrue(large.all { waitingTimeOf(it, largeShare = 0.05) in 62.milliseconds..78.milliseconds })
        assertTrue(small.all { waitingTimeOf(it, largeShare = 0.05) == waitingTimeOf(it) })
    }

    @Test
    fun `the waiting time of an order is always the same`() {
        assertEquals(waitingTimeOf(4_711), waitingTimeOf(4_711))
    }
}
