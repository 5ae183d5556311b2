import Client
import Glibc
import Synchronization
import Testing

/// A port of this machine that connections are made to and nobody serves, until it is closed.
private final class SilentPort: Sendable {
    let base: String
    private let descriptor: Mutex<Int32>

    init() throws {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        try #require(descriptor >= 0)
        self.descriptor = Mutex(descriptor)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(descriptor, $0, length) == 0 && listen(descriptor, 8) == 0
                    && getsockname(descriptor, $0, &length) == 0
            }
        }
        base = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        try #require(isListening)
    }

    /// Whoever waits for an answer learns that there will be none.
    func close() {
        descriptor.withLock { descriptor in
            if descriptor >= 0 { _ = Glibc.close(descriptor) }
            descriptor = -1
        }
    }

    deinit { close() }
}

/// Asks the silent port over the network and answers for all others, and closes the silent one when these have their
/// answers.
private final class HalfSilentTransport: HTTPTransport {
    private let silent: SilentPort
    private let othersLeft: Mutex<Int>

    init(_ silent: SilentPort, others: Int) {
        self.silent = silent
        othersLeft = Mutex(others)
    }

    func perform(_ call: HTTPCall) async throws(ClientError) -> HTTPAnswer {
        guard call.base != silent.base else { return try await NetworkTransport().perform(call) }
        let isLast = othersLeft.withLock { left in
            left -= 1
            return left == 0
        }
        if isLast { silent.close() }
        return HTTPAnswer(
            status: 200, contentType: "application/json",
            body: Array("{\"node\":\"\(call.base)\"}".utf8))
    }
}

@Suite(.timeLimit(.minutes(1))) struct StatusOfAllTests {
    /// Wherever it stands, the others have their answers before it fails, and all are in the nodes' order.
    @Test(arguments: 0..<3)
    func aSilentNodeKeepsNoOtherWaiting(_ place: Int) async throws {
        let silent = try SilentPort()
        var nodes = ["http://127.0.0.1:1", "http://127.0.0.1:2"]
        nodes.insert(silent.base, at: place)
        var limits = HuijinClient.Limits()
        limits.timeoutMs = 3_600_000
        let client = try HuijinClient(
            nodes: nodes, genesis: try FailoverTests.genesis().0, limits: limits,
            transport: HalfSilentTransport(silent, others: 2))
        let all = await client.statusOfAll()
        #expect(all.map(\.node) == nodes)
        for (index, answer) in all.enumerated() {
            switch answer.status {
            case .success(let status):
                #expect(index != place && status["node"]?.text == nodes[index])
            case .failure(let error):
                guard index == place, case .unreachable(silent.base, _) = error else {
                    Issue.record("\(nodes[index]): \(error)")
                    continue
                }
            }
        }
    }
}
