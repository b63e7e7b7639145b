package shop

/** What the environment says, read once at the start; nothing else in the service looks at it. */
data class Settings(
    val host: String,
    val port: Int,
    val codec: CodecName,
    val largeOrderLines: Int,
    val largeOrderShare: Double,
    val largeOrderWaitMs: Int,
    val surchargeShare: Double,
    val blockingWaitMs: Int,
    val ledgerSyncs: Int,
)

enum class CodecName { FAST, SLOW }

/** A variable has a value the service cannot run with. [message] is meant for the person who set it. */
class SettingsException(message: String) : Exception(message)

/** Throws [SettingsException], with the variable, its value and what is allowed. */
fun readSettings(environment: Map<String, String>): Settings = Settings(
    host = environment["HOST"] ?: "127.0.0.1",
    port = environment.wholeNumber("PORT", default = 8080, allowed = 1..65_535),
    codec = readCodecName(environment["CODEC"] ?: "fast"),
    largeOrderLines = environment.wholeNumber("LARGE_ORDER_LINES", default = LARGE_ORDER_LINES, allowed = 1..20_000),
    largeOrderShare = environment.share("LARGE_ORDER_SHARE", default = LARGE_ORDER_SHARE),
    largeOrderWaitMs = environment.wholeNumber("LARGE_ORDER_WAIT_MS", default = 0, allowed = 0..10_000),
    surchargeShare = environment.share("SURCHARGE_SHARE", default = 0.0),
    blockingWaitMs = environment.wholeNumber("BLOCKING_WAIT_MS", default = 0, allowed = 0..10_000),
    ledgerSyncs = environment.wholeNumber("LEDGER_SYNCS", default = 0, allowed = 0..100),
)

// Calibrated: the slow codec adds about 12 ms to an order of this many lines (README.md, "Measured").
private const val LARGE_ORDER_LINES = 1_400

// Half of the CPU for nothing is more than any test needs, and the bound keeps `1 - share` away from zero.
private const val MAX_SHARE = 0.5

private fun readCodecName(value: String): CodecName =
    CodecName.entries.find { it.name.lowercase() == value }
        ?: throw SettingsException("CODEC must be fast or slow, not '$value'.")

private fun Map<String, String>.wholeNumber(name: String, default: Int, allowed: IntRange): Int {
    val value = this[name] ?: return default
    return value.toIntOrNull()?.takeIf { it in allowed }
        ?: throw SettingsException("$name must be a whole number from ${allowed.first} to ${allowed.last}, not '$value'.")
}

private fun Map<String, String>.share(name: String, default: Double): Double {
    val value = this[name] ?: return default
    return value.toDoubleOrNull()?.takeIf { it in 0.0..MAX_SHARE }
        ?: throw SettingsException("$name must be a number from 0 to $MAX_SHARE, not '$value'.")
}
