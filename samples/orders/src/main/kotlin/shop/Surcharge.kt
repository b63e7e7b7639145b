package shop

import com.sun.management.OperatingSystemMXBean
import java.lang.management.ManagementFactory
import java.util.concurrent.atomic.AtomicBoolean

/**
 * A function that costs a fixed [share] of the process' CPU time, whatever the machine and the load: after each request
 * it compares the CPU time of the process since the start of the service with what it has spent itself, and catches up.
 */
class Surcharge(private val share: Double) {
    private val process = ManagementFactory.getPlatformMXBean(OperatingSystemMXBean::class.java)
    private val threads = ManagementFactory.getThreadMXBean()
    private val processStartNs = process.processCpuTime

    // One request at a time pays; the others would pay the same debt again. The flag also guards the values below.
    private val paying = AtomicBoolean(false)
    private var paidNs = 0L
    private val state = IntArray(STATE_WORDS) { it + 1 }

    fun settle() {
        if (share == 0.0 || !paying.compareAndSet(false, true)) return
        try {
            pay()
        } finally {
            paying.set(false)
        }
    }

    // Paying adds to both sides: after x more, paid + x = share * (process + x).
    private fun owedNs(): Long {
        val processNs = process.processCpuTime - processStartNs
        return ((share * processNs - paidNs) / (1 - share)).toLong()
    }

    // Reading the clocks counts as paid: it is CPU time that a service without surcharge does not spend.
    private fun pay() {
        val startNs = threads.currentThreadCpuTime
        val owedNs = owedNs()
        if (owedNs > 0) spin(untilNs = startNs + minOf(owedNs, MAX_PAYMENT_NS))
        paidNs += threads.currentThreadCpuTime - startNs
    }

    /**
     * Works until this thread has used [untilNs] of CPU time: rounds of ChaCha20 (RFC 8439, 2.3), whose inline functions
     * make this method larger than what HotSpot inlines (325 bytes, FreqInlineSize), so it stays a frame of its own.
     */
    private fun spin(untilNs: Long) {
        val words = state
        do {
            repeat(ROUNDS_PER_LOOK) {
                quarterRound(words, 0, 4, 8, 12)
                quarterRound(words, 1, 5, 9, 13)
                quarterRound(words, 2, 6, 10, 14)
                quarterRound(words, 3, 7, 11, 15)
                quarterRound(words, 0, 5, 10, 15)
                quarterRound(words, 1, 6, 11, 12)
                quarterRound(words, 2, 7, 8, 13)
                quarterRound(words, 3, 4, 9, 14)
            }
        } while (threads.currentThreadCpuTime < untilNs)
    }

    private companion object {
        const val STATE_WORDS = 16

        // So that the debt of the start (a JVM compiles for seconds of CPU time) is paid over many requests, not by one.
        const val MAX_PAYMENT_NS = 20_000_000L

        // Tens of microseconds between two looks at the clock, because a look is a system call of up to 5 µs.
        const val ROUNDS_PER_LOOK = 1_000
    }
}

@Suppress("NOTHING_TO_INLINE")
private inline fun quarterRound(words: IntArray, a: Int, b: Int, c: Int, d: Int) {
    words[a] += words[b]; words[d] = (words[d] xor words[a]).rotateLeft(16)
    words[c] += words[d]; words[b] = (words[b] xor words[c]).rotateLeft(12)
    words[a] += words[b]; words[d] = (words[d] xor words[a]).rotateLeft(8)
    words[c] += words[d]; words[b] = (words[b] xor words[c]).rotateLeft(7)
}
