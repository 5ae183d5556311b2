import Client
import Ledger
import Testing

/// What is dialled is what the address says, and what is no address is refused before a library sees it.
@Suite struct NodeAddressTests {
    @Test(arguments: [
        "http://127.0.0.1:8001", "http://127.0.0.1", "https://node.example:65535",
        "http://localhost:1", "http://[::1]:8001",
    ])
    func addressesAreTaken(_ address: String) throws {
        #expect(try NodeAddress(address).base == address)
        #expect(try NodeAddress(address + "/").base == address)
    }

    static let wrong = [
        "", "http://", "https://", "127.0.0.1:8001", "ftp://127.0.0.1", "HTTP//127.0.0.1",
        "http://127.0.0.1:8001/v1", "http://127.0.0.1:8001//", "http://127.0.0.1:8001?x=1",
        "http://127.0.0.1:8001#x", "http://127.0.0.1:8001/#x", "http://127.0.0.1:",
        "http://127.0.0.1:0", "http://127.0.0.1:-1", "http://127.0.0.1:+1",
        "http://127.0.0.1:65536", "http://127.0.0.1:99999", "http://localhost:99999",
        "http://[::1]:99999", "http://127.0.0.1:18446744073709551616", "http://127.0.0.1:８０",
        "http://127.0.0.1:80:80", "http://::1:80", "http://[::1", "http://[x]:80", "http://[]:80",
        "http://a b:80", "http://a%41:80", "http://a\n:80", "http://a\\b:80", "http://:80",
        "http://user:secret@127.0.0.1:8001", "http://user@127.0.0.1:8001",
    ]

    @Test(arguments: wrong)
    func whatIsNoneIsRefusedWhereverAClientIsMade(_ address: String) async throws {
        let (genesis, _) = try FailoverTests.genesis()
        let refused = #expect(throws: ClientError.self) {
            try HuijinClient(nodes: [address], genesis: genesis)
        }
        guard case .invalid(let english, let chinese) = refused else {
            Issue.record("\(String(describing: refused))")
            return
        }
        #expect(english.contains("is not a node's address"))
        #expect(chinese.contains("不是节点地址"))
        #expect(!english.contains("secret") && !chinese.contains("secret"))
        // The library traps on some of them.
        let call = HTTPCall(base: address, path: "/", timeoutMs: 1_000)
        let error = await #expect(throws: ClientError.self) {
            try await NetworkTransport().perform(call)
        }
        #expect(error == refused)
    }
}
