package shop

import io.ktor.http.ContentType
import io.ktor.http.HttpHeaders
import io.ktor.http.HttpStatusCode
import io.ktor.server.engine.connector
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.netty.NettyApplicationEngine
import io.ktor.server.response.header
import io.ktor.server.response.respondText
import io.ktor.server.routing.Route
import io.ktor.server.routing.RoutingContext
import io.ktor.server.routing.get
import io.ktor.server.routing.routing
import kotlin.system.exitProcess
import kotlin.time.Duration.Companion.milliseconds

fun main() {
    val settings = try {
        readSettings(System.getenv())
    } catch (refused: SettingsException) {
        System.err.println(refused.message)
        exitProcess(EXIT_BAD_SETTINGS)
    }
    serve(settings)
}

private const val EXIT_BAD_SETTINGS = 2

private fun serve(settings: Settings) {
    val stock = StockClient(settings.port)
    val ledger = Ledger(settings.ledgerSyncs)
    val orders = Orders(
        documents = with(settings) { Documents(largeOrderLines, largeOrderShare, largeOrderWaitMs.milliseconds) },
        codec = codecNamed(settings.codec),
        stock = stock,
        surcharge = Surcharge(settings.surchargeShare),
        taxOffice = TaxOffice(settings.blockingWaitMs),
        ledger = ledger,
    )
    val server = embeddedServer(Netty, configure = { listen(settings) }) {
        routing { routes(settings, orders) }
    }
    stock.use { ledger.use { server.start(wait = true) } }
}

// Small pools: a pod has a twentieth of a CPU to itself and a few hundred megabytes of memory.
private fun NettyApplicationEngine.Configuration.listen(settings: Settings) {
    connector {
        host = settings.host
        port = settings.port
    }
    connectionGroupSize = 1
    workerGroupSize = 1
    callGroupSize = 2
    enableHttp2 = false
    shutdownGracePeriod = 500
    shutdownTimeout = 2_000
}

private fun Route.routes(settings: Settings, orders: Orders) {
    get("/orders/{id}") { answerOrder(orders) }
    get("/stock/{sku}") { call.respondText(stockOf(call.parameters["sku"].orEmpty()).toString()) }
    get("/healthz") { call.respondText("ok") }
    get("/variant") { call.respondText(settings.codec.name.lowercase()) }
}

private suspend fun RoutingContext.answerOrder(orders: Orders) {
    val id = call.parameters["id"].orEmpty()
    val orderId = id.toIntOrNull()?.takeIf { it >= 0 }
    if (orderId == null) {
        call.respondText("An order id is a whole number from 0 to ${Int.MAX_VALUE}.\n", status = HttpStatusCode.BadRequest)
        return
    }
    val order = orders.find(orderId)
    call.response.header(HttpHeaders.ETag, "\"${order.checksum}\"")
    call.respondText(order.json, ContentType.Application.Json)
}
