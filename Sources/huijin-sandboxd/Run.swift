import ArgumentParser
import Client
import Dispatch
import Foundation
import Glibc
import Ledger
import Logging
import Programs
import Records
import Sandbox

struct Run: AsyncParsableCommand {
    static let configuration = CommandConfiguration(
        abstract: "Serve until SIGTERM or SIGINT / 运行沙箱，直至收到 SIGTERM 或 SIGINT")

    @OptionGroup var options: ConfigurationOptions
    @Option(
        help: ArgumentHelp(
            "File with the passphrase (else HUIJIN_PASSPHRASE) / 口令文件，缺省用环境变量 HUIJIN_PASSPHRASE",
            valueName: "file"))
    var passphraseFile: String?

    func run() async throws {
        // Whoever reads our log may go away first.
        signal(SIGPIPE, SIG_IGN)
        LoggingSystem.bootstrap { StreamLogHandler.standardError(label: $0) }
        let logger = Logger(label: "huijin-sandboxd")
        let signals = Signals([SIGTERM, SIGINT])
        do {
            try await serve(try options.load(), signals, logger)
        } catch let error as SetupError {
            try HuijinSandboxd.fail(error.description, Exit.configuration)
        } catch let error as TrustFileProblem {
            switch error {
            case .fork: try HuijinSandboxd.fail(error.description, Exit.fork)
            case .unusable(let problem):
                try HuijinSandboxd.fail(
                    problem.description, problem.isMissing ? Exit.noInput : Exit.configuration)
            }
        } catch let error as IsolationError {
            try HuijinSandboxd.fail(error.description, Exit.unavailable)
        } catch let error as ClientError {
            try HuijinSandboxd.fail(error.description, Exit.unavailable)
        } catch let error as ExitCode {
            throw error
        } catch {
            try HuijinSandboxd.fail("\(error)", Exit.inputOutput)
        }
    }

    /// That the network is this genesis's, can be reached, and knows this member as an operator of sandboxes.
    private func checkRole(
        _ client: HuijinClient, _ configuration: SandboxConfiguration, _ id: MemberID
    ) async throws {
        let member: MemberRecord?
        do {
            member = try await client.member(id).value
        } catch {
            guard case .notProven = error else { throw error }
            try HuijinSandboxd.fail(
                "\(configuration.file), field genesis: the nodes' network is another one; name its genesis.cbor: \(error.english) / 节点属于另一网络，请指定其 genesis.cbor",
                Exit.configuration)
        }
        guard member?.roles.contains(.sandboxOperator) == true else {
            try HuijinSandboxd.fail(
                "\(configuration.file), field identity: \(id) is no enrolled member with the role sandbox-operator; name that member's folder / 该成员没有沙箱运营方角色，请指定有此角色的成员文件夹",
                Exit.configuration)
        }
    }

    private func serve(
        _ configuration: SandboxConfiguration, _ signals: Signals, _ logger: Logger
    ) async throws {
        let isolation = try Isolation()
        let passphrase = try Passphrase.read(file: passphraseFile)
        let folder = try SandboxFolder(configuration.data)
        let lock = try SandboxLock(folder)
        defer { withExtendedLifetime(lock) {} }
        let identity = try MemberFolder(reading: configuration.identity)
        try isolation.check(files: [
            configuration.file, configuration.identity + "/member.json",
            folder.path + "/sandbox.db",
        ])
        let client = try HuijinClient(
            nodes: configuration.nodes, genesis: configuration.genesis,
            identity: try identity.identity(passphrase: passphrase))
        let trusting = try configuration.trust.map { try TrustingClient(client, $0) }
        try await checkRole(try trusting?.current() ?? client, configuration, identity.member)
        var serviceOptions = JobService.Options()
        serviceOptions.limits = configuration.limits
        let service = try JobService(
            ledger: try ClientLedger(client, following: trusting), folder: folder,
            runner: isolation,
            key: try folder.openSealingKey(
                suite: configuration.genesis.suite, passphrase: passphrase),
            options: serviceOptions, logger: logger)
        await service.start()
        let server = Task {
            try await SandboxServer(service: service, logger: logger).run(
                host: configuration.host, port: configuration.port
            ) { port in
                print("ready http://\(configuration.host):\(port) \(identity.member)")
                fflush(nil)
            }
        }
        let watching = Task {
            for await number in signals.stream {
                logger.info("stopping / 正在停止", metadata: ["signal": "\(number)"])
                server.cancel()
                return
            }
        }
        let result = await server.result
        watching.cancel()
        // The step in progress is found done or repeated at the next start, so nobody waits for it.
        try result.get()
    }
}

/// Signals as a stream; their default actions are switched off at once.
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
            // At once: a source that was never resumed must not be released.
            source.resume()
            return source
        }
    }
}
