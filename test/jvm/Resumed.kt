/**
 * Coroutines that work after they were resumed, each at the end of another chain of callers and in a leaf of its own: the
 * leaf on a stack tells which callers belong to it. Words of the command line: "all" or numbers of leaves, "storm" for
 * a heap that is always full of garbage, and "full" for one whose old objects are moved all the time. "odd" are those
 * whose callers cannot be told. Until standard input ends.
 */
package resumed

import io.ktor.util.pipeline.Interceptor
import io.ktor.util.pipeline.SuspendFunctionGun
import java.lang.reflect.Field
import kotlin.coroutines.Continuation
import kotlin.coroutines.EmptyCoroutineContext
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn
import kotlin.coroutines.resume
import kotlin.coroutines.startCoroutine
import kotlin.coroutines.suspendCoroutine
import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.Job
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.async
import kotlinx.coroutines.coroutineScope
import kotlinx.coroutines.delay
import kotlinx.coroutines.flow.flow
import kotlinx.coroutines.flow.map
import kotlinx.coroutines.launch
import kotlinx.coroutines.runBlocking
import kotlinx.coroutines.supervisorScope
import kotlinx.coroutines.withContext
import kotlinx.coroutines.yield

@Volatile var sink = 0L
var garbage = 64

fun work(n: Int): Long {
    val kept = arrayOfNulls<LongArray>(4)
    var x = n.toLong()
    for (i in 0 until 40) {
        for (j in 0 until 200) x = (x xor (x shl 13)) * 6364136223846793005L + j
        kept[i and 3] = LongArray(garbage / 8)
    }
    return x + kept.size
}

fun leaf1(n: Int) = work(n + 1)
fun leaf2(n: Int) = work(n + 2)
fun leaf3(n: Int) = work(n + 3)
fun leaf4(n: Int) = work(n + 4)
fun leaf5(n: Int) = work(n + 5)
fun leaf6(n: Int) = work(n + 6)
fun leaf7(n: Int) = work(n + 7)
fun leaf8(n: Int) = work(n + 8)
fun leaf9(n: Int) = work(n + 9)
fun leaf10(n: Int) = work(n + 10)
fun leaf11(n: Int) = work(n + 11)
fun leaf12(n: Int) = work(n + 12)
fun leaf13(n: Int) = work(n + 13)
fun leaf14(n: Int) = work(n + 14)
fun leaf15(n: Int) = work(n + 15)
fun leaf16(n: Int) = work(n + 16)
fun leaf17(n: Int) = work(n + 17)
fun leaf18(n: Int) = work(n + 18)
fun leaf19(n: Int) = work(n + 19)
fun leaf20(n: Int) = work(n + 20)
fun leaf21(n: Int) = work(n + 21)
fun leaf22(n: Int) = work(n + 22)
fun leaf23(n: Int) = work(n + 23)
fun leaf24(n: Int) = work(n + 24)
fun leaf25(n: Int) = work(n + 25)
fun leaf26(n: Int) = work(n + 26)

interface Prices {
    suspend fun of(n: Int): Long {
        yield()
        val price = leaf4(n)
        return price + 1
    }
}

class Orders : Prices {
    suspend fun handle(n: Int): Long {
        val total = checkout(n)
        return total * 2
    }

    private suspend fun checkout(n: Int): Long {
        val price = price(n)
        return price + leaf2(n)
    }

    private suspend fun price(n: Int): Long {
        yield()
        val price = leaf1(n)
        return price + 1
    }

    suspend fun stored(n: Int): Long {
        val stored = withContext(Dispatchers.IO) {
            yield()
            leaf3(n) + 1
        }
        return stored + 1
    }

    suspend fun priced(n: Int): Long {
        val price = of(n)
        return price + 1
    }

    suspend fun both(n: Int): Long {
        val sum = coroutineScope {
            val one = inside(n)
            one + 1
        }
        return sum + 1
    }

    private suspend fun inside(n: Int): Long {
        delay(1)
        return leaf5(n) + 1
    }

    suspend fun awaited(n: Int): Long = coroutineScope {
        val one = async { delayed(n) }
        val result = one.await()
        result + leaf7(n)
    }

    private suspend fun delayed(n: Int): Long {
        yield()
        return leaf6(n) + 1
    }

    suspend fun twice(n: Int, action: suspend (Int) -> Long): Long {
        val first = action(n)
        return first + action(n)
    }

    companion object {
        suspend fun shared(n: Int): Long {
            yield()
            return leaf8(n) + 1
        }
    }
}

/** Four callers of its own name. */
suspend fun deep(depth: Int, n: Int): Long {
    if (depth == 0) {
        yield()
        return leaf9(n) + 1
    }
    val below = deep(depth - 1, n)
    return below + 1
}

/** Comes back up one by one, and works on the way: every resumption goes on with the next caller. */
suspend fun climbing(depth: Int, n: Int): Long {
    if (depth == 0) {
        yield()
        return 1
    }
    val below = climbing(depth - 1, n)
    return if (depth == 3) below + leaf10(n) else below + 1
}

suspend fun climb(n: Int): Long {
    val top = climbing(5, n)
    return top + 1
}

suspend fun String.lengthOf(n: Int): Long {
    yield()
    return leaf11(n) + length
}

suspend fun measured(n: Int): Long {
    val length = "text".lengthOf(n)
    return length + 1
}

suspend fun streamed(n: Int): Long {
    var sum = 0L
    flow { emit(n) }.map { it + 1 }.collect { sum += collected(it) }
    return sum
}

suspend fun collected(n: Int): Long {
    yield()
    return leaf12(n) + 1
}

suspend fun blocking(n: Int): Long {
    val inner = nested(n)
    return inner + 1
}

suspend fun nested(n: Int): Long {
    yield()
    return leaf13(n) + 1
}

suspend fun switched(n: Int): Long {
    val far = withContext(Dispatchers.IO) {
        val near = withContext(Dispatchers.Default) { near(n) }
        near + 1
    }
    return far + 1
}

suspend fun near(n: Int): Long {
    yield()
    return leaf14(n) + 1
}

suspend fun supervised(n: Int): Long = supervisorScope {
    val job: Job = launch { delay(1) }
    job.join()
    leaf15(n) + 1
}

/** A pipeline: who called `proceed` waits in it, not in the completion of who is called. */
suspend fun piped(n: Int): Long {
    val result = SuspendFunctionGun(n, listOf({ outer(it) }, { middle(it) }, { inner(it) })).execute()
    return result + 1L
}

suspend fun SuspendFunctionGun.outer(n: Int) {
    yield()
    sink += leaf18(n)
    sink += proceed()
    sink += leaf19(n)
}

suspend fun SuspendFunctionGun.middle(n: Int) {
    yield()
    sink += leaf20(n)
    sink += proceed()
    sink += leaf23(n)
}

/** Runs at first on the stack of who called `proceed`, without having been resumed. */
suspend fun inner(n: Int) {
    sink += leaf22(n)
    sink += asked(n)
}

suspend fun asked(n: Int): Long {
    yield()
    return leaf21(n) + 1
}

/** An interceptor that works itself. */
suspend fun direct(n: Int): Long {
    val working: Interceptor = {
        yield()
        sink += leaf24(it)
        sink += proceed()
    }
    val result = SuspendFunctionGun(n, listOf({ around(it) }, working)).execute()
    return result + 1L
}

suspend fun SuspendFunctionGun.around(n: Int) {
    val result = proceed()
    sink += result + n
}

/** A pipeline within a pipeline: a server that is a client. */
suspend fun served(n: Int): Long {
    val result = SuspendFunctionGun(n, listOf({ around(it) }, { ask(it) })).execute()
    return result + 1L
}

suspend fun ask(n: Int) {
    val result = SuspendFunctionGun(n, listOf({ around(it) }, { sink += answer(it) })).execute()
    sink += result
}

suspend fun answer(n: Int): Long {
    yield()
    return leaf25(n) + 1
}

fun fieldOf(name: String): Field =
    SuspendFunctionGun::class.java.getDeclaredField(name).apply { isAccessible = true }

val suspensions = fieldOf("suspensions")
val lastSuspensionIndex = fieldOf("lastSuspensionIndex")

/** Works while the pipeline's own stack is nonsense. */
suspend fun SuspendFunctionGun.spoilt(n: Int) {
    yield()
    var self: Any? = null
    suspendCoroutineUninterceptedOrReturn<Unit> { self = it }
    @Suppress("UNCHECKED_CAST")
    val stack = suspensions.get(this) as Array<Any?>
    val (last, waiting) = lastSuspensionIndex.getInt(this) to stack[0]
    when (n % 4) {
        0 -> stack[0] = self
        1 -> stack[0] = completion.get(self)
        2 -> lastSuspensionIndex.setInt(this, 100)
        3 -> stack[0] = Continuation<Any?>(EmptyCoroutineContext) {}
    }
    for (i in 0 until MANY) sink += leaf26(n + i)
    stack[0] = waiting
    lastSuspensionIndex.setInt(this, last)
    yield()
}

suspend fun spoil(n: Int): Long {
    val result = SuspendFunctionGun(n, listOf({ spoilt(it) })).execute()
    return result + 1L
}

/** Of leaves: long enough for a reader to come, that others hold up. */
const val MANY = 2000

val completion: Field =
    Class.forName("kotlin.coroutines.jvm.internal.BaseContinuationImpl").getDeclaredField("completion")
        .apply { isAccessible = true }

/** Works while its caller is, so the heap says, called by it. */
suspend fun knotted(n: Int): Long {
    yield()
    var self: Any? = null
    suspendCoroutineUninterceptedOrReturn<Unit> { self = it }
    val caller = completion.get(self)
    val callersCaller = completion.get(caller)
    completion.set(caller, self)
    var worked = 0L
    for (i in 0 until MANY) worked += leaf16(n + i)
    completion.set(caller, callersCaller)
    yield()
    return worked
}

suspend fun knot(n: Int): Long {
    val worked = knotted(n)
    return worked + 1
}

/** Of no coroutine: its caller's caller is a callback. */
suspend fun calledBack(n: Int): Long {
    val paused = paused(n)
    return paused + 1
}

suspend fun paused(n: Int): Long {
    suspendCoroutine<Unit> { waiting = it }
    return leaf17(n) + 1
}

@Volatile var waiting: Continuation<Unit>? = null

fun callBack(n: Int) {
    suspend { calledBack(n) }.startCoroutine(Continuation(EmptyCoroutineContext) { sink += it.getOrThrow() })
    waiting?.resume(Unit)
}

/** What lies between garbage in the old generation has to move. */
fun compact() {
    val kept = List(2_000) { LongArray(it % 64) }.filterIndexed { i, _ -> i % 2 == 0 }
    System.gc()
    sink += kept.size
    Thread.sleep(30)
}

fun main(words: Array<String>) {
    val orders = Orders()
    if ("storm" in words) garbage = 16_384
    val scope = CoroutineScope(Dispatchers.Default + SupervisorJob())
    val chains = listOf<suspend (Int) -> Long>(
        { n -> orders.handle(n) + 1 },
        { n -> orders.stored(n) + 1 },
        { n -> orders.priced(n) + 1 },
        { n -> orders.both(n) + 1 },
        { n -> orders.awaited(n) + 1 },
        { n -> orders.twice(n) { Orders.shared(it) + 1 } + 1 },
        { n -> deep(4, n) + 1 },
        { n -> climb(n) + 1 },
        { n -> measured(n) + 1 },
        { n -> streamed(n) + 1 },
        { n -> switched(n) + 1 },
        { n -> supervised(n) + 1 },
        { n -> piped(n) + 1 },
        { n -> direct(n) + 1 },
        { n -> served(n) + 1 },
    )
    chains.forEachIndexed { i, chain ->
        if ("all" in words || "$i" in words) scope.launch { for (n in 0..Int.MAX_VALUE) sink += chain(n) }
    }
    if ("all" in words) {
        Thread { runBlocking { for (n in 0..Int.MAX_VALUE) sink += blocking(n) } }.apply { isDaemon = true }.start()
    }
    if ("full" in words) {
        Thread { while (true) compact() }.apply { isDaemon = true }.start()
    }
    if ("odd" in words) {
        scope.launch { for (n in 0..Int.MAX_VALUE) sink += knot(n) + 1 }
        scope.launch { for (n in 0..Int.MAX_VALUE) sink += spoil(n) + 1 }
        Thread { for (n in 0..Int.MAX_VALUE) callBack(n) }.apply { isDaemon = true }.start()
    }
    println("running")
    System.`in`.read()
}
