import io.grpc.CallOptions
import io.grpc.ManagedChannel
import io.grpc.MethodDescriptor
import io.grpc.ServerServiceDefinition
import io.grpc.Status
import io.grpc.netty.shaded.io.grpc.netty.NettyChannelBuilder
import io.grpc.netty.shaded.io.grpc.netty.NettyServerBuilder
import io.grpc.stub.ClientCalls
import io.grpc.stub.ServerCalls
import io.grpc.stub.StreamObserver
import io.netty.bootstrap.ServerBootstrap
import io.netty.buffer.ByteBuf
import io.netty.buffer.Unpooled
import io.netty.channel.ChannelDuplexHandler
import io.netty.channel.ChannelHandlerContext
import io.netty.channel.ChannelInitializer
import io.netty.channel.MultiThreadIoEventLoopGroup
import io.netty.channel.nio.NioIoHandler
import io.netty.channel.socket.SocketChannel
import io.netty.channel.socket.nio.NioServerSocketChannel
import io.netty.handler.codec.http.HttpServerCodec
import io.netty.handler.codec.http.HttpServerUpgradeHandler
import io.netty.handler.codec.http2.CleartextHttp2ServerUpgradeHandler
import io.netty.handler.codec.http2.DefaultHttp2DataFrame
import io.netty.handler.codec.http2.DefaultHttp2Headers
import io.netty.handler.codec.http2.DefaultHttp2HeadersFrame
import io.netty.handler.codec.http2.DefaultHttp2WindowUpdateFrame
import io.netty.handler.codec.http2.Http2CodecUtil
import io.netty.handler.codec.http2.Http2DataFrame
import io.netty.handler.codec.http2.Http2FrameCodecBuilder
import io.netty.handler.codec.http2.Http2FrameStream
import io.netty.handler.codec.http2.Http2HeadersFrame
import io.netty.handler.codec.http2.Http2ServerUpgradeCodec
import io.netty.util.AsciiString
import java.io.ByteArrayInputStream
import java.io.InputStream
import java.net.InetSocketAddress
import java.net.URI
import java.net.http.HttpClient
import java.net.http.HttpRequest
import java.net.http.HttpResponse
import java.util.concurrent.CompletableFuture
import java.util.concurrent.TimeUnit

// Where servers listen.
private val HOST = System.getenv("HOST") ?: "127.0.0.1"

private const val CHUNKS = 10
private val CHUNK = "x".repeat(2000)

/** GET /fast, /slow, /missing and /chunked (ten frames of 2,000 bytes), POST /echo. */
private class Http2Peer : ChannelDuplexHandler() {
    private class Asked(val path: String, val body: ByteBuf = Unpooled.buffer(), val startedNs: Long = System.nanoTime())

    private val asked = mutableMapOf<Int, Asked>()

    override fun channelRead(context: ChannelHandlerContext, message: Any) {
        when (message) {
            is Http2HeadersFrame -> {
                asked[message.stream().id()] = Asked(message.headers().path().toString().substringBefore('?'))
                if (message.isEndStream) answer(context, message.stream())
            }
            is Http2DataFrame -> {
                asked[message.stream().id()]?.body?.writeBytes(message.content())
                val taken = DefaultHttp2WindowUpdateFrame(message.initialFlowControlledBytes()).stream(message.stream())
                message.release()
                context.write(taken)
                if (message.isEndStream) answer(context, message.stream())
            }
            else -> context.fireChannelRead(message)
        }
    }

    override fun channelReadComplete(context: ChannelHandlerContext) {
        context.flush()
    }

    private fun answer(context: ChannelHandlerContext, stream: Http2FrameStream) {
        val request = asked.remove(stream.id()) ?: return
        when (request.path) {
            "/chunked" -> {
                head(context, stream, request)
                repeat(CHUNKS) { data(context, stream, CHUNK, it == CHUNKS - 1) }
            }
            "/echo" -> {
                head(context, stream, request)
                context.write(DefaultHttp2DataFrame(request.body, true).stream(stream))
            }
            "/missing" -> context.write(DefaultHttp2HeadersFrame(DefaultHttp2Headers().status("404"), true).stream(stream))
            "/slow" -> context.executor().schedule({
                head(context, stream, request)
                data(context, stream, "slow", true)
                context.flush()
            }, 50, TimeUnit.MILLISECONDS)
            else -> {
                head(context, stream, request)
                data(context, stream, "fast", true)
            }
        }
    }

    private fun head(context: ChannelHandlerContext, stream: Http2FrameStream, request: Asked) {
        val headers = DefaultHttp2Headers().status("200").add("content-type", "text/plain")
        headers.add("took-ns", (System.nanoTime() - request.startedNs).toString())
        context.write(DefaultHttp2HeadersFrame(headers).stream(stream))
    }

    private fun data(context: ChannelHandlerContext, stream: Http2FrameStream, text: String, isLast: Boolean) {
        context.write(DefaultHttp2DataFrame(Unpooled.copiedBuffer(text, Charsets.US_ASCII), isLast).stream(stream))
    }
}

/** Takes HTTP/2 by prior knowledge and by upgrade. */
private fun nettyH2c(): Int {
    val channel = ServerBootstrap()
        .group(MultiThreadIoEventLoopGroup(2, NioIoHandler.newFactory()))
        .channel(NioServerSocketChannel::class.java)
        .childHandler(object : ChannelInitializer<SocketChannel>() {
            override fun initChannel(child: SocketChannel) {
                val http1 = HttpServerCodec()
                val upgrade = HttpServerUpgradeHandler(http1, { protocol ->
                    if (AsciiString.contentEquals(Http2CodecUtil.HTTP_UPGRADE_PROTOCOL_NAME, protocol)) {
                        Http2ServerUpgradeCodec(Http2FrameCodecBuilder.forServer().build(), Http2Peer())
                    } else {
                        null
                    }
                }, 65536)
                val http2 = object : ChannelInitializer<SocketChannel>() {
                    override fun initChannel(known: SocketChannel) {
                        known.pipeline().addLast(Http2FrameCodecBuilder.forServer().build(), Http2Peer())
                    }
                }
                child.pipeline().addLast(CleartextHttp2ServerUpgradeHandler(http1, upgrade, http2))
            }
        })
        .bind(HOST, 0).sync().channel()
    return (channel.localAddress() as InetSocketAddress).port
}

private object Bytes : MethodDescriptor.Marshaller<ByteArray> {
    override fun stream(value: ByteArray): InputStream = ByteArrayInputStream(value)
    override fun parse(stream: InputStream): ByteArray = stream.readBytes()
}

private fun method(name: String, type: MethodDescriptor.MethodType): MethodDescriptor<ByteArray, ByteArray> =
    MethodDescriptor.newBuilder(Bytes, Bytes).setType(type).setFullMethodName("peer.Echo/$name").build()

private fun unary(name: String) = method(name, MethodDescriptor.MethodType.UNARY)
private val MANY = method("Many", MethodDescriptor.MethodType.SERVER_STREAMING)
private val COLLECT = method("Collect", MethodDescriptor.MethodType.CLIENT_STREAMING)
private val CHAT = method("Chat", MethodDescriptor.MethodType.BIDI_STREAMING)

/** Answers each message by itself where `answersEach`, and else once, at the end. */
private class Echo(private val to: StreamObserver<ByteArray>, private val answersEach: Boolean) : StreamObserver<ByteArray> {
    private var bytes = 0

    override fun onNext(message: ByteArray) {
        bytes += message.size
        if (answersEach) to.onNext(message)
    }

    override fun onError(error: Throwable) = Unit

    override fun onCompleted() {
        if (!answersEach) to.onNext(ByteArray(bytes))
        to.onCompleted()
    }
}

private fun grpc(): Int {
    fun echo(request: ByteArray, to: StreamObserver<ByteArray>) {
        to.onNext(request)
        to.onCompleted()
    }
    val service = ServerServiceDefinition.builder("peer.Echo")
        .addMethod(unary("Unary"), ServerCalls.asyncUnaryCall(::echo))
        .addMethod(unary("Large"), ServerCalls.asyncUnaryCall(::echo))
        .addMethod(unary("Never"), ServerCalls.asyncUnaryCall { _, _ -> })
        .addMethod(unary("Fails"), ServerCalls.asyncUnaryCall { _, to -> to.onError(Status.INTERNAL.asRuntimeException()) })
        .addMethod(unary("Refuses"), ServerCalls.asyncUnaryCall { request, to ->
            to.onError(Status.NOT_FOUND.withDescription("${request.size} bytes are not there").asRuntimeException())
        })
        .addMethod(MANY, ServerCalls.asyncServerStreamingCall { request, to ->
            repeat(CHUNKS) { to.onNext(request) }
            to.onCompleted()
        })
        .addMethod(COLLECT, ServerCalls.asyncClientStreamingCall { to -> Echo(to, answersEach = false) })
        .addMethod(CHAT, ServerCalls.asyncBidiStreamingCall { to -> Echo(to, answersEach = true) })
        .build()
    return NettyServerBuilder.forAddress(InetSocketAddress(HOST, 0)).addService(service).build().start().port
}

private class Answer(val status: Int, val clientNs: Long)

/** Does so many at a time, and says what came of each: status, 0, nanoseconds. At `wait` it waits for a line. */
private fun ask(names: List<String>, atOnce: Int, call: (String) -> CompletableFuture<Int>) {
    fun timed(name: String): CompletableFuture<Answer> {
        val started = System.nanoTime()
        return call(name).thenApply { Answer(it, System.nanoTime() - started) }
    }

    fun say(answer: Answer) = println("${answer.status} 0 ${answer.clientNs}")
    say(timed(names.first()).get())
    for (some in names.drop(1).chunked(atOnce)) {
        if (some == listOf("wait")) {
            println("waiting")
            readln()
            continue
        }
        some.map(::timed).forEach { say(it.get()) }
    }
    println("done")
}

private fun askJdk(server: String): (String) -> CompletableFuture<Int> {
    val client = HttpClient.newBuilder().version(HttpClient.Version.HTTP_2).build()
    return { path ->
        val request = HttpRequest.newBuilder(URI.create("http://$server$path"))
        if (path.startsWith("/echo")) request.POST(HttpRequest.BodyPublishers.ofString("y".repeat(3000)))
        client.sendAsync(request.build(), HttpResponse.BodyHandlers.ofString()).thenApply { it.statusCode() }
    }
}

/** Completes with the status of the call when it has ended. */
private class Ended : StreamObserver<ByteArray> {
    val status = CompletableFuture<Int>()

    override fun onNext(message: ByteArray) = Unit
    override fun onError(error: Throwable) {
        status.complete(Status.fromThrowable(error).code.value())
    }

    override fun onCompleted() {
        status.complete(Status.OK.code.value())
    }
}

private fun askGrpc(channel: ManagedChannel): (String) -> CompletableFuture<Int> = { name ->
    val ended = Ended()
    val message = ByteArray(if (name == "Large") 20_000 else 100)
    fun several(to: StreamObserver<ByteArray>) {
        repeat(3) { to.onNext(message) }
        to.onCompleted()
    }
    when (name) {
        "Many" -> ClientCalls.asyncServerStreamingCall(channel.newCall(MANY, CallOptions.DEFAULT), message, ended)
        "Collect" -> several(ClientCalls.asyncClientStreamingCall(channel.newCall(COLLECT, CallOptions.DEFAULT), ended))
        "Chat" -> several(ClientCalls.asyncBidiStreamingCall(channel.newCall(CHAT, CallOptions.DEFAULT), ended))
        else -> {
            val call = channel.newCall(unary(name), CallOptions.DEFAULT)
            ClientCalls.asyncUnaryCall(call, message, ended)
            // Not by a deadline, which the server keeps, too: either may be first to end the stream.
            val later = CompletableFuture.delayedExecutor(200, TimeUnit.MILLISECONDS)
            if (name == "Never") later.execute { call.cancel("waits no longer", null) }
        }
    }
    ended.status
}

fun main(args: Array<String>) {
    when (args[0]) {
        "netty-h2c" -> println("listening ${nettyH2c()}")
        "grpc" -> println("listening ${grpc()}")
        "ask-jdk" -> ask(args.drop(3), args[2].toInt(), askJdk(args[1]))
        "ask-grpc" -> ask(args.drop(3), args[2].toInt(), askGrpc(NettyChannelBuilder.forTarget(args[1]).usePlaintext().build()))
    }
    if (!args[0].startsWith("ask")) while (System.`in`.read() >= 0) Unit
    System.exit(0)
}
