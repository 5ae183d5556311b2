import Foundation
import Glibc

/// A request by hand, for what no client of ours shows: the answer as it is on the wire.
enum RawRequest {
    struct Failure: Error {}

    /// - Parameter base: `http://127.0.0.1:port`.
    /// - Returns: all that the server sent until it hung up.
    static func answer(_ method: String, _ path: String, of base: String) async throws -> String {
        guard let port = URL(string: base)?.port.flatMap({ UInt16(exactly: $0) }) else {
            throw Failure()
        }
        let text =
            "\(method) \(path) HTTP/1.1\r\nhost: test\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"
        return try await withCheckedThrowingContinuation { continuation in
            // The server's own tasks may need the thread that would wait here.
            Thread.detachNewThread {
                continuation.resume(with: Result { try exchange(text, port) })
            }
        }
    }

    private static func exchange(_ text: String, _ port: UInt16) throws -> String {
        let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        guard connection >= 0 else { throw Failure() }
        defer { close(connection) }
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = port.bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        let isConnected = withUnsafePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
        let request = Array(text.utf8)
        guard isConnected,
            send(connection, request, request.count, Int32(MSG_NOSIGNAL)) == request.count
        else { throw Failure() }
        var answer: [UInt8] = []
        var part = [UInt8](repeating: 0, count: 4_096)
        while true {
            let count = recv(connection, &part, part.count, 0)
            guard count > 0 else { break }
            answer += part[..<count]
        }
        return String(decoding: answer, as: UTF8.self)
    }
}
