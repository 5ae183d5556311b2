import API
import ArgumentParser
import Dispatch
import Files
import Foundation
import Glibc
import Logging
import Node
import Programs

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Run the node until SIGTERM or SIGINT / 运行节点，直至收到 SIGTERM 或 SIGINT",
        discussion: """
            SIGHUP reads the configuration again: peers, observers, transport certificate and key.
            SIGHUP 重新读取配置：对端、观察节点、传输证书与密钥。
            """)

    @OptionGroup var options: ConfigurationOptions
    @Option(
        help: ArgumentHelp(
            "A signed recovery to go on with after the loss of a quorum; one that was taken already changes nothing / "
                + "法定多数丢失后据以继续的已签名恢复文件；已采用过的不再起作用", valueName: "file"))
    var recovery: String?

    func run() async throws {
        // Whoever reads our log may go away first.
        signal(SIGPIPE, SIG_IGN)
        var configuration = try options.load()
        if let recovery {
            do throws(ConfigurationError) {
                configuration.recovery = try RecoveryFile.read(
                    recovery, genesis: configuration.genesis)
            } catch {
                try Huijind.fail(error.description, Exit.configuration)
            }
        }
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        var logger = Logger(label: "huijind")
        logger.logLevel = configuration.logLevel
        let signals = Signals([SIGTERM, SIGINT, SIGHUP])
        let node: HuijinNode
        do throws(NodeError) {
            node = try await HuijinNode.start(configuration, logger: logger)
        } catch {
            try Huijind.fail(error.description, exitCode(error))
        }
        let reason = try await serve(node, configuration, signals, logger)
        switch reason {
        case .requested: return
        case .fault: try Huijind.fail(reason.description, Exit.fault)
        case .recovery: try Huijind.fail(reason.description, Exit.configuration)
        case .storage(let error):
            try Huijind.fail(
                error.description, error.isDiskFull ? Exit.diskFull : Exit.inputOutput)
        }
    }

    private func exitCode(_ error: NodeError) -> ExitCode {
        switch error {
        case .storage(let error): error.isDiskFull ? Exit.diskFull : Exit.inputOutput
        case .network, .stopped, .busy: Exit.inputOutput
        }
    }

    /// What is wrong with the new files is told, and the node goes on with what it has.
    private func reload(_ node: HuijinNode, _ logger: Logger) async {
        do {
            try await node.reload(try options.read(), from: options.config)
            logger.notice("configuration read again / 已重新读取配置")
        } catch {
            logger.error(
                "the new configuration is not used / 新配置未被采用", metadata: ["reason": "\(error)"])
        }
    }

    /// Until a signal comes, the node stops by itself, or the API cannot go on.
    private func serve(
        _ node: HuijinNode, _ configuration: NodeConfiguration, _ signals: Signals,
        _ logger: Logger
    ) async throws -> StopReason {
        enum Event: Sendable {
            case signal(Int32)
            case node(StopReason)
            case api(String?)
        }
        let (events, sink) = AsyncStream.makeStream(of: Event.self)
        let listening = Task { for await number in signals.stream { sink.yield(.signal(number)) } }
        let watching = Task { _ = sink.yield(.node(await node.waitUntilStopped())) }
        let api = Task {
            do {
                try await APIServer(node: node, logger: logger).run(
                    host: configuration.api.host, port: configuration.api.port
                ) { port in
                    // It may have refused its recovery meanwhile, and says so.
                    guard node.status.stopReason == nil else { return }
                    let address = HostPort(host: configuration.api.host, port: port)
                    // For whoever started this process: it serves from now on.
                    // It may have gone away meanwhile.
                    _ = WholeFile.write(
                        Array("ready http://\(address)\n".utf8), to: STDOUT_FILENO)
                    logger.info(
                        "ready / 就绪",
                        metadata: [
                            "api": "\(address)",
                            "height": "\(node.status.height)", "chain": "\(node.chain)",
                        ])
                }
                sink.yield(.api(nil))
            } catch {
                sink.yield(.api("\(error)"))
            }
        }
        var problem: String?
        for await event in events {
            switch event {
            case .signal(SIGHUP):
                await reload(node, logger)
                continue
            case .signal(let number):
                logger.info("stopping / 正在停止", metadata: ["signal": "\(number)"])
            case .node: break
            case .api(let reason): problem = reason
            }
            break
        }
        // Requests in progress are answered while the node is still there.
        api.cancel()
        await api.value
        listening.cancel()
        await node.stop()
        let reason = await node.waitUntilStopped()
        await watching.value
        if let problem {
            let address = HostPort(host: configuration.api.host, port: configuration.api.port)
            try Huijind.fail(
                "api: cannot serve on \(address): \(problem); name an address of this machine and a "
                    + "free port / 接口无法在该地址服务，请改用本机地址与空闲端口", Exit.inputOutput)
        }
        return reason
    }
}

/// Signals as a stream; their default actions are switched off at once, and one that comes early is kept.
private final class Signals: Sendable {
    let stream: AsyncStream<Int32>
    private nonisolated(unsafe) let sources: [any DispatchSourceSignal]

    init(_ numbers: [Int32]) {
        let (stream, sink) = AsyncStream.makeStream(of: Int32.self)
        self.stream = stream
        sources = numbers.map { number in
            signal(number, SIG_IGN)
            let source = DispatchSource.makeSignalSource(signal: number, queue: .global())
            source.setEventHandler { sink.yield(number) }
            // At once: Dispatch aborts when a source goes away that was never resumed.
            source.resume()
            return source
        }
    }
}
