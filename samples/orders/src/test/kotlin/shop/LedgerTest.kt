package shop

import kotlinx.coroutines.runBlocking
import java.nio.file.Files
import java.nio.file.Path
import kotlin.io.path.listDirectoryEntries
import kotlin.test.Test
import kotlin.test.assertEquals

class LedgerTest {
    private val temporary = Path.of(System.getProperty("java.io.tmpdir"))

    @Test
    fun `the last order stands in a file that is gone when the service ends`() {
        val before = ledgers()
        Ledger(syncsPerOrder = 2).use { ledger ->
            runBlocking { for (sum in listOf("11aa", "22bb")) ledger.record(PricedOrder("{}", sum)) }

            assertEquals(listOf("22bb\n"), (ledgers() - before).map { Files.readString(it) })
        }
        assertEquals(before, ledgers())
    }

    @Test
    fun `without syncs there is no file`() {
        val before = ledgers()
        Ledger(syncsPerOrder = 0).use { ledger ->
            runBlocking { ledger.record(PricedOrder("{}", "33cc")) }

            assertEquals(before, ledgers())
        }
    }

    private fun ledgers(): Set<Path> = temporary.listDirectoryEntries("ledger*.txt").toSet()
}
