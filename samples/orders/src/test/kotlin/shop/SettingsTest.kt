package shop

import kotlin.test.Test
import kotlin.test.assertEquals
import kotlin.test.assertFailsWith

class SettingsTest {
    @Test
    fun `without variables the service is fast, local and free of surcharge`() {
        val settings = readSettings(emptyMap())

        assertEquals(CodecName.FAST, settings.codec)
        assertEquals("127.0.0.1", settings.host)
        assertEquals(8080, settings.port)
        assertEquals(LARGE_ORDER_SHARE, settings.largeOrderShare)
        assertEquals(0, settings.largeOrderWaitMs)
        assertEquals(0.0, settings.surchargeShare)
        assertEquals(0, settings.blockingWaitMs)
        assertEquals(0, settings.ledgerSyncs)
    }

    @Test
    fun `a value the service cannot run with is refused by name`() {
        assertEquals("CODEC must be fast or slow, not 'Slow'.", refusalOf("CODEC" to "Slow"))
        assertEquals("PORT must be a whole number from 1 to 65535, not '0'.", refusalOf("PORT" to "0"))
        assertEquals("SURCHARGE_SHARE must be a number from 0 to 0.5, not 'NaN'.", refusalOf("SURCHARGE_SHARE" to "NaN"))
        assertEquals(
            "LARGE_ORDER_LINES must be a whole number from 1 to 20000, not 'many'.",
            refusalOf("LARGE_ORDER_LINES" to "many"),
        )
    }

    private fun refusalOf(variable: Pair<String, String>): String? =
        assertFailsWith<SettingsException> { readSettings(mapOf(variable)) }.message
}
