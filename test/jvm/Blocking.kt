/**
 * Coroutines that hold up their threads: the same calls on Dispatchers.Default, where they do harm, and on Dispatchers.IO,
 * which is there for them. Beside them some that suspend, as they should. Until standard input ends.
 */
package blocking

import kotlinx.coroutines.CoroutineScope
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.SupervisorJob
import kotlinx.coroutines.delay
import kotlinx.coroutines.launch
import kotlinx.coroutines.withContext

class Codec {
    fun encode() = Thread.sleep(20)
}

suspend fun checkout(codec: Codec): Int {
    delay(5)
    codec.encode()
    return 1
}

suspend fun archive(codec: Codec): Int {
    delay(5)
    return withContext(Dispatchers.IO) {
        codec.encode()
        1
    }
}

suspend fun polite(): Int {
    delay(20)
    return 1
}

fun main() {
    val scope = CoroutineScope(SupervisorJob() + Dispatchers.Default)
    val codec = Codec()
    scope.launch { while (true) checkout(codec) }
    repeat(2) { scope.launch { while (true) archive(codec) } }
    repeat(4) { scope.launch { while (true) polite() } }
    println("running")
    while (System.`in`.read() >= 0) Unit
}
