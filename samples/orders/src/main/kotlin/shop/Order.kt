package shop

import kotlinx.serialization.Serializable

@Serializable
data class Order(
    val id: Int,
    val customer: String,
    val shipping: Address,
    val lines: List<Line>,
    val totalCents: Long = 0,
    val inStock: Int? = null,
)

@Serializable
data class Address(val name: String, val street: String, val city: String, val zip: String, val country: String)

@Serializable
data class Line(
    val sku: String,
    val name: String,
    val quantity: Int,
    val unitCents: Long,
    val totalCents: Long = 0,
    val gift: String? = null,
    val tags: List<String> = emptyList(),
    val attributes: Map<String, String> = emptyMap(),
)

/** An order before prices; always the same for the same [id] and number of lines. */
fun newOrder(id: Int, lineCount: Int): Order = Order(
    id = id,
    customer = "Ann Example",
    shipping = Address("Ann Example", "Main Street 12", "Springfield", "01101", "US"),
    lines = List(lineCount) { newLine(it) },
)

private fun newLine(number: Int): Line = Line(
    sku = "SKU-$number",
    name = "Thing number $number, in \"good\" condition",
    quantity = number % 9 + 1,
    unitCents = 350L + number,
    tags = listOf("red", "large"),
    attributes = mapOf("weight" to "${number * 10} g", "origin" to "XY"),
)
