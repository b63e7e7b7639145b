package shop

import java.nio.ByteBuffer
import java.nio.channels.FileChannel
import java.nio.file.Files
import java.nio.file.Path
import java.nio.file.StandardOpenOption.DELETE_ON_CLOSE
import java.nio.file.StandardOpenOption.WRITE
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.withContext

/** The file in which answered orders are kept. More than one sync an order is the regression: it waits for the disk each time. */
class Ledger(private val syncsPerOrder: Int) : AutoCloseable {
    private val file: FileChannel? = if (syncsPerOrder > 0) openTemporary() else null

    suspend fun record(order: PricedOrder) {
        val file = file ?: return
        withContext(Dispatchers.IO) {
            append(file, order.checksum)
            repeat(syncsPerOrder) { file.force(false) }
        }
    }

    // One place, written again and again: the file does not grow with the orders.
    private fun append(file: FileChannel, checksum: String) {
        file.write(ByteBuffer.wrap("$checksum\n".toByteArray()), 0)
    }

    override fun close() {
        file?.close()
    }
}

private fun openTemporary(): FileChannel {
    val path: Path = Files.createTempFile("ledger", ".txt")
    return FileChannel.open(path, WRITE, DELETE_ON_CLOSE)
}
