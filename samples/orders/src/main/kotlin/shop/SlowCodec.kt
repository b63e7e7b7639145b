package shop

import kotlin.reflect.typeOf
import kotlinx.serialization.KSerializer
import kotlinx.serialization.json.Json
import kotlinx.serialization.json.JsonArray
import kotlinx.serialization.json.JsonElement
import kotlinx.serialization.json.JsonNull
import kotlinx.serialization.json.JsonObject
import kotlinx.serialization.json.JsonPrimitive
import kotlinx.serialization.serializer

/**
 * The regression: what kotlinx.serialization becomes in a hurry. A Json for each call (so its caches are always cold),
 * the serializer looked up by type at run time, and the whole document copied as a tree to drop its nulls, both ways.
 *
 * The cost grows with the number of lines, so only large orders feel it.
 */
class SlowCodec : Codec {
    override fun decode(text: String): Order {
        val json = newJson()
        return json.decodeFromJsonElement(orderSerializer(json), strip(json.parseToJsonElement(text)))
    }

    override fun encode(order: Order): String {
        val json = newJson()
        val tree = strip(json.encodeToJsonElement(orderSerializer(json), order))
        return json.encodeToString(JsonElement.serializer(), tree)
    }

    private fun newJson(): Json = Json {
        encodeDefaults = true
        ignoreUnknownKeys = true
    }

    @Suppress("UNCHECKED_CAST")
    private fun orderSerializer(json: Json): KSerializer<Order> =
        json.serializersModule.serializer(typeOf<Order>()) as KSerializer<Order>

    // Recursive, so the compiler cannot inline it away: in a profile it is a frame of its own, under this name.
    private fun strip(element: JsonElement): JsonElement = when (element) {
        is JsonObject -> JsonObject(element.filterValues { it !is JsonNull }.mapValues { strip(it.value) })
        is JsonArray -> JsonArray(element.map { strip(it) })
        is JsonPrimitive -> element
    }
}
