import java.lang.management.ManagementFactory

// GET /short and GET /long take CPU in a function of their own each, so that a stack tells which of them it serves.
private const val SHORT_MS = 2L
private const val LONG_MS = 12L
private const val NS_PER_MS = 1_000_000L

private val threads = ManagementFactory.getThreadMXBean()

fun shortWork(): String = burnt(SHORT_MS) { "short" }

fun longWork(): String = burnt(LONG_MS) { "long" }

/** Of the CPU, not of the clock. */
private fun burnt(ms: Long, answer: () -> String): String {
    val end = threads.currentThreadCpuTime + ms * NS_PER_MS
    var text = answer()
    while (threads.currentThreadCpuTime < end) text = answer()
    return text
}
