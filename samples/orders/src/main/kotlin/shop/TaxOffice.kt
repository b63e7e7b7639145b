package shop

/**
 * Asked for the tax before an order is priced. It answers by blocking the thread for [waitMs]: on a dispatcher with as many
 * threads as cores that holds up everybody else's orders too, and it uses no CPU that a profile of CPU time could show.
 */
class TaxOffice(private val waitMs: Int) {
    fun askBlocking() {
        if (waitMs > 0) Thread.sleep(waitMs.toLong())
    }
}
