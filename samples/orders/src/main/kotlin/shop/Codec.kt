package shop

import kotlinx.serialization.json.Json

/** Turns an order into JSON and back. Both codecs give the same text; they differ only in what it costs. */
interface Codec {
    fun decode(text: String): Order
    fun encode(order: Order): String
}

fun codecNamed(name: CodecName): Codec = when (name) {
    CodecName.FAST -> FastCodec()
    CodecName.SLOW -> SlowCodec()
}

/** As the manual of kotlinx.serialization says: one Json for the process, the generated serializer, no tree. */
class FastCodec : Codec {
    private val json = Json {
        encodeDefaults = true
        explicitNulls = false
        ignoreUnknownKeys = true
    }
    private val serializer = Order.serializer()

    override fun decode(text: String): Order = json.decodeFromString(serializer, text)

    override fun encode(order: Order): String = json.encodeToString(serializer, order)
}
