/** Coroutines that wait for ever, each at the end of another chain of callers; the recorded heap is read back by these lines. */
package shop

import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.coroutines.startCoroutine
import kotlinx.coroutines.CoroutineName
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.withTimeout

class Held(@JvmField val id: Int, @JvmField val continuation: Continuation<*>, @JvmField val next: Held?)

/** A thread, because threads are what is easily found from outside. */
class Keeper : Thread("keeper") {
    @JvmField var first: Held? = null
    @JvmField var count = 0

    @Synchronized
    fun hold(id: Int, continuation: Continuation<*>) {
        first = Held(id, continuation, first)
        count++
    }

    @Synchronized fun held() = count

    override fun run() = sleep(600_000)
}

val keeper = Keeper().apply { isDaemon = true }

/** The continuation is the caller's: this function has no state of its own. */
suspend fun park(id: Int): Long = suspendCoroutineUninterceptedOrReturn {
    keeper.hold(id, it)
    COROUTINE_SUSPENDED
}

interface Prices {
    suspend fun of(id: Int): Long {
        val price = park(id)
        return price + 1
    }
}

class Orders : Prices {
    suspend fun handle(id: Int): Long {
        val total = checkout(id)
        return total * 2
    }

    suspend fun checkout(id: Int): Long {
        var sum = 0L
        for (each in 0 until 3) {
            sum += price(id)
        }
        return sum
    }

    private suspend fun price(id: Int): Long {
        val price = park(id)
        return price + 1
    }

    suspend fun stored(id: Int): Long = withContext(Dispatchers.IO) {
        val stored = price(id)
        stored + 1
    }

    suspend fun both(id: Int): Long = coroutineScope {
        val one = price(id)
        one + 1
    }

    suspend fun twice(id: Int, action: suspend (Int) -> Long): Long {
        val first = action(id)
        return first + action(id)
    }

    companion object {
        suspend fun shared(id: Int): Long {
            val shared = park(id)
            return shared + 1
        }
    }
}

suspend fun deep(depth: Int, id: Int): Long {
    if (depth == 0) return park(id) + 1
    val below = deep(depth - 1, id)
    return below + 1
}

suspend fun String.length(id: Int): Long {
    val parked = park(id)
    return parked + length
}

suspend fun streamed(id: Int): Long {
    var sum = 0L
    flow { emit(park(id)) }.map { it + 1 }.collect { sum += it }
    return sum
}

suspend fun gathered(id: Int): Long {
    var sum = 0L
    flow { emit(id) }.collect { sum += Orders.shared(it) }
    return sum
}

suspend fun passedOn(id: Int): Long = Orders.shared(id)

fun main() {
    val orders = Orders()
    val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
    keeper.start()
    scope.launch(CoroutineName("request")) { orders.handle(1) }
    scope.async { orders.stored(2) }
    scope.launch(CoroutineName("größe → 3")) { orders.both(3) }
    scope.launch { supervisorScope { orders.checkout(4) } }
    scope.launch { withTimeout(600_000) { orders.of(5) } }
    scope.launch { deep(5, 6) }
    scope.launch { "text".length(7) }
    scope.launch { streamed(8) }
    scope.launch { passedOn(9) }
    scope.launch { orders.twice(10) { Orders.shared(it) } }
    scope.launch { listOf(11).forEach { orders.of(it) } }
    scope.launch { park(12) }
    Thread { runBlocking { orders.handle(13) } }.apply { isDaemon = true }.start()
    suspend { orders.handle(14) }.startCoroutine(Continuation(EmptyCoroutineContext) {})
    scope.launch { gathered(15) }
    while (keeper.held() < 15) Thread.sleep(10)
    println("running")
    System.`in`.read()
}
