/** Ktor's pipeline as far as the heap shows it: class names, fields and their use are those of Ktor 3.3. */
package io.ktor.util.pipeline

import kotlin.coroutines.Continuation
import kotlin.coroutines.CoroutineContext
import kotlin.coroutines.intrinsics.COROUTINE_SUSPENDED
import kotlin.coroutines.intrinsics.intercepted
import kotlin.coroutines.intrinsics.suspendCoroutineUninterceptedOrReturn

typealias Interceptor = suspend SuspendFunctionGun.(Int) -> Unit

class SuspendFunctionGun(private val subject: Int, private val blocks: List<Interceptor>) {
    private val continuation: Continuation<Unit> = object : Continuation<Unit> {
        override val context: CoroutineContext
            get() = suspensions[lastSuspensionIndex]?.context ?: error("Not started")

        override fun resumeWith(result: Result<Unit>) {
            result.exceptionOrNull()?.let { return resumeRootWith(Result.failure(it)) }
            loop(false)
        }
    }
    private val suspensions: Array<Continuation<Int>?> = arrayOfNulls(blocks.size)
    private var lastSuspensionIndex: Int = -1
    private var index = 0

    suspend fun execute(): Int = proceed()

    suspend fun proceed(): Int = suspendCoroutineUninterceptedOrReturn { caller ->
        if (index == blocks.size) return@suspendCoroutineUninterceptedOrReturn subject
        suspensions[++lastSuspensionIndex] = caller.intercepted()
        if (!loop(true)) return@suspendCoroutineUninterceptedOrReturn COROUTINE_SUSPENDED
        suspensions[lastSuspensionIndex--] = null
        subject
    }

    private fun loop(direct: Boolean): Boolean {
        while (true) {
            if (index == blocks.size) {
                if (direct) return true
                resumeRootWith(Result.success(subject))
                return false
            }
            val next = blocks[index++]
            try {
                if (start(next) === COROUTINE_SUSPENDED) return false
            } catch (cause: Throwable) {
                resumeRootWith(Result.failure(cause))
                return false
            }
        }
    }

    private fun start(next: Interceptor): Any? {
        @Suppress("UNCHECKED_CAST")
        val function = next as Function3<SuspendFunctionGun, Int, Continuation<Unit>, Any?>
        return function.invoke(this, subject, continuation)
    }

    private fun resumeRootWith(result: Result<Int>) {
        val next = suspensions[lastSuspensionIndex]
        suspensions[lastSuspensionIndex--] = null
        next?.resumeWith(result)
    }
}
