import com.sun.net.httpserver.HttpServer
import io.ktor.http.ContentType
import io.ktor.server.application.Application
import io.ktor.server.application.ApplicationCall
import io.ktor.server.application.ApplicationCallPipeline
import io.ktor.server.application.call
import io.ktor.server.cio.CIO
import io.ktor.server.engine.embeddedServer
import io.ktor.server.netty.Netty
import io.ktor.server.request.receiveText
import io.ktor.server.response.respondText
import io.ktor.server.response.respondTextWriter
import io.ktor.server.routing.get
import io.ktor.server.routing.post
import io.ktor.server.routing.routing
import io.ktor.util.AttributeKey
import io.netty.bootstrap.ServerBootstrap
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelFutureListener
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInboundHandlerAdapter
import io.netty.channel.ChannelInitializer
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.SimpleChannelInboundHandler
import io.netty.channel.epoll.EpollIoHandler
import io.netty.channel.epoll.EpollServerSocketChannel
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.SocketChannel
import io.netty.channel.socket.nio.NioServerSocketChannel
import io.netty.handler.codec.http.DefaultFullHttpResponse
import io.netty.handler.codec.http.DefaultHttpContent
import io.netty.handler.codec.http.DefaultHttpResponse
import io.netty.handler.codec.http.FullHttpRequest
import io.netty.handler.codec.http.HttpHeaderNames
import io.netty.handler.codec.http.HttpObjectAggregator
import io.netty.handler.codec.http.HttpResponseStatus
import io.netty.handler.codec.http.HttpServerCodec
import io.netty.handler.codec.http.HttpUtil
import io.netty.handler.codec.http.HttpVersion
import io.netty.handler.codec.http.LastHttpContent
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.Executors
import kotlinx.coroutines.Dispatchers
import kotlinx.coroutines.delay
import kotlinx.coroutines.withContext

// Where servers listen.
private val HOST = System.getenv("HOST") ?: "127.0.0.1"

// Every server has GET /fast, GET /chunked (ten chunks of 2,000 bytes), POST /echo, and those of Work.kt.
private const val CHUNKS = 10
private val CHUNK = "x".repeat(2000)

// What a server's own timer says of a request, from the earliest moment it has to its response, is a header of the response.
private const val TOOK = "Took-Ns"
private val STARTED = AttributeKey<Long>("started")

private fun ApplicationCall.tellTime() {
    response.headers.append(TOOK, (System.nanoTime() - attributes[STARTED]).toString())
}

private fun Application.peer() {
    intercept(ApplicationCallPipeline.Setup) { context.attributes.put(STARTED, System.nanoTime()) }
    routing {
        get("/fast") {
            call.tellTime()
            call.respondText("fast")
        }
        get("/slow") {
            delay(50)
            call.tellTime()
            call.respondText("slow")
        }
        get("/chunked") {
            call.tellTime()
            call.respondTextWriter(ContentType.Text.Plain) {
                repeat(CHUNKS) {
                    write(CHUNK)
                    flush()
                }
            }
        }
        post("/echo") {
            val body = call.receiveText()
            call.tellTime()
            call.respondText(body)
        }
        get("/short") { call.respondText(withContext(Dispatchers.Default) { shortWork() }) }
        get("/long") {
            delay(5)
            call.respondText(withContext(Dispatchers.Default) { longWork() })
        }
    }
}

/** Before the codec: when what is answered next began to be read. */
private class Arrival : ChannelInboundHandlerAdapter() {
    private var startedNs = 0L

    override fun channelRead(context: ChannelHandlerContext, message: Any) {
        if (startedNs == 0L) startedNs = System.nanoTime()
        super.channelRead(context, message)
    }

    /** 0 of pipelined requests behind the first. */
    fun tookNs(): Long {
        val took = if (startedNs == 0L) 0 else System.nanoTime() - startedNs
        startedNs = 0
        return took
    }
}

private class NettyPeer(private val arrival: Arrival) : SimpleChannelInboundHandler<FullHttpRequest>() {
    override fun channelRead0(context: ChannelHandlerContext, request: FullHttpRequest) {
        when (request.uri().substringBefore('?')) {
            "/chunked" -> chunked(context)
            "/echo" -> whole(context, request, request.content().retain())
            "/short" -> whole(context, request, Unpooled.copiedBuffer(shortWork(), Charsets.US_ASCII))
            "/long" -> whole(context, request, Unpooled.copiedBuffer(longWork(), Charsets.US_ASCII))
            else -> whole(context, request, Unpooled.copiedBuffer("fast", Charsets.US_ASCII))
        }
    }

    private fun whole(context: ChannelHandlerContext, request: FullHttpRequest, content: io.netty.buffer.ByteBuf) {
        val response = DefaultFullHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK, content)
        response.headers().set(HttpHeaderNames.CONTENT_LENGTH, content.readableBytes()).set(TOOK, arrival.tookNs())
        val sent = context.writeAndFlush(response)
        if (!HttpUtil.isKeepAlive(request)) sent.addListener(ChannelFutureListener.CLOSE)
    }

    private fun chunked(context: ChannelHandlerContext) {
        val head = DefaultHttpResponse(HttpVersion.HTTP_1_1, HttpResponseStatus.OK)
        HttpUtil.setTransferEncodingChunked(head, true)
        head.headers().set(TOOK, arrival.tookNs())
        context.write(head)
        repeat(CHUNKS) { context.writeAndFlush(DefaultHttpContent(Unpooled.copiedBuffer(CHUNK, Charsets.US_ASCII))) }
        context.writeAndFlush(LastHttpContent.EMPTY_LAST_CONTENT)
    }
}

private fun netty(epoll: Boolean): Int {
    val group = MultiThreadIoEventLoopGroup(2, if (epoll) EpollIoHandler.newFactory() else NioIoHandler.newFactory())
    val channel = ServerBootstrap()
        .group(group)
        .channel(if (epoll) EpollServerSocketChannel::class.java else NioServerSocketChannel::class.java)
        .childHandler(object : ChannelInitializer<SocketChannel>() {
            override fun initChannel(child: SocketChannel) {
                val arrival = Arrival()
                child.pipeline().addLast(arrival, HttpServerCodec(), HttpObjectAggregator(1 shl 20), NettyPeer(arrival))
            }
        })
        .bind(HOST, 0).sync().channel()
    return (channel.localAddress() as InetSocketAddress).port
}

private fun jdk(): Int {
    val server = HttpServer.create(InetSocketAddress(HOST, 0), 0)
    server.executor = Executors.newCachedThreadPool()
    server.createContext("/") { exchange ->
        val body = exchange.requestBody.readAllBytes()
        when (exchange.requestURI.path) {
            "/chunked" -> {
                exchange.sendResponseHeaders(200, 0)
                exchange.responseBody.use { out -> repeat(CHUNKS) { out.write(CHUNK.toByteArray()) } }
            }
            "/echo" -> {
                exchange.sendResponseHeaders(200, body.size.toLong())
                exchange.responseBody.use { it.write(body) }
            }
            "/collect" -> {
                System.gc()
                exchange.sendResponseHeaders(204, -1)
            }
            "/short", "/long" -> {
                val answer = if (exchange.requestURI.path == "/short") shortWork() else longWork()
                exchange.sendResponseHeaders(200, answer.length.toLong())
                exchange.responseBody.use { it.write(answer.toByteArray()) }
            }
            "/missing" -> exchange.sendResponseHeaders(404, -1)
            else -> {
                val started = System.nanoTime()
                if (exchange.requestURI.path == "/slow") Thread.sleep(50)
                exchange.responseHeaders.add(TOOK, (System.nanoTime() - started).toString())
                exchange.sendResponseHeaders(200, 4)
                exchange.responseBody.use { it.write("fast".toByteArray()) }
            }
        }
        exchange.close()
    }
    server.start()
    return server.address.port
}

/** Asks for each path in turn, and says what it saw of each: status, and what the server and the client measured. */
private fun ask(base: String, paths: List<String>) {
    val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_1_1).build()
    for (path in paths) {
        val request = HttpRequest.newBuilder(URI.create(base + path))
        if (path.startsWith("/echo")) request.POST(HttpRequest.BodyPublishers.ofString("y".repeat(3000)))
        val started = System.nanoTime()
        val response = client.send(request.build(), HttpResponse.BodyHandlers.ofString())
        val took = System.nanoTime() - started
        println("${response.statusCode()} ${response.headers().firstValue(TOOK).orElse("0")} $took")
    }
    println("done")
}

private suspend fun ktor(server: io.ktor.server.engine.EmbeddedServer<*, *>): Int {
    server.start(wait = false)
    return server.engine.resolvedConnectors().first().port
}

suspend fun main(args: Array<String>) {
    when (args[0]) {
        "jdk" -> println("listening ${jdk()}")
        "netty-nio" -> println("listening ${netty(epoll = false)}")
        "netty-epoll" -> println("listening ${netty(epoll = true)}")
        "ktor-netty" -> println("listening ${ktor(embeddedServer(Netty, port = 0, host = HOST, module = Application::peer))}")
        "ktor-cio" -> println("listening ${ktor(embeddedServer(CIO, port = 0, host = HOST, module = Application::peer))}")
        "ask" -> ask(args[1], args.drop(2))
    }
    if (args[0] != "ask") while (System.`in`.read() >= 0) Unit
    System.exit(0)
}
