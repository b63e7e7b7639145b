package shop

import kotlin.test.Test
import kotlin.test.assertEquals

class CodecTest {
    private val order = newOrder(id = 7, lineCount = 20).copy(totalCents = 4_711, inStock = 12)

    @Test
    fun `both codecs write the same text`() {
        assertEquals(FastCodec().encode(order), SlowCodec().encode(order))
    }

    @Test
    fun `each codec reads back what it wrote`() {
        for (codec in CodecName.entries.map(::codecNamed)) {
            assertEquals(order, codec.decode(codec.encode(order)))
        }
    }
}
