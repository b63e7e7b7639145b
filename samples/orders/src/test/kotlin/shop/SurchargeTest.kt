package shop

import java.lang.management.ManagementFactory
import kotlin.test.Test
import kotlin.test.assertTrue

class SurchargeTest {
    private val threads = ManagementFactory.getThreadMXBean()

    @Test
    fun `without a share nothing is spent`() {
        val surcharge = Surcharge(share = 0.0)
        work(100_000_000)

        assertTrue(cpuNsOf(surcharge::settle) < 5_000_000)
    }

    @Test
    fun `it catches up with its share of the CPU time, but never at once`() {
        val surcharge = Surcharge(share = 0.2)
        work(200_000_000)

        val first = cpuNsOf(surcharge::settle)
        val rest = (1..10).sumOf { cpuNsOf(surcharge::settle) }

        assertTrue(first in 19_000_000..30_000_000, "first payment $first ns")
        assertTrue(first + rest >= 45_000_000, "paid ${first + rest} ns of at least 50 ms owed")
    }

    private fun work(cpuNs: Long) {
        val until = threads.currentThreadCpuTime + cpuNs
        while (threads.currentThreadCpuTime < until) Thread.onSpinWait()
    }

    private fun cpuNsOf(block: () -> Unit): Long {
        val start = threads.currentThreadCpuTime
        block()
        return threads.currentThreadCpuTime - start
    }
}
