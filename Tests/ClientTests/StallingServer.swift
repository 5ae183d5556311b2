import Foundation
import Glibc

/// Answers a request with the head of a long answer, and then with a byte now and then, with nothing, or by hanging up.
final class StallingServer: Sendable {
    struct Failure: Error {}

    let base: String
    private let socket: Int32

    /// - Parameter head: what comes first, instead of the head of an answer of 100,000 bytes.
    init(
        drips: Bool, head: String = "HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n",
        hangsUp: Bool = false
    ) throws {
        let socket = Glibc.socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        var bytes = socklen_t(MemoryLayout<sockaddr_in>.size)
        let isListening = withUnsafeMutablePointer(to: &address) {
            $0.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                bind(socket, $0, bytes) == 0 && listen(socket, 8) == 0
                    && getsockname(socket, $0, &bytes) == 0
            }
        }
        guard isListening else { throw Failure() }
        self.socket = socket
        base = "http://127.0.0.1:\(UInt16(bigEndian: address.sin_port))"
        Thread.detachNewThread {
            let connection = accept(socket, nil, nil)
            guard connection >= 0 else { return }
            var first: [UInt8] = Array(repeating: 0, count: 4_096)
            _ = recv(connection, &first, first.count, 0)
            let head = Array(head.utf8)
            _ = send(connection, head, head.count, Int32(MSG_NOSIGNAL))
            // Ends when the client goes.
            while !hangsUp {
                var waiting = pollfd(fd: connection, events: Int16(POLLIN), revents: 0)
                if poll(&waiting, 1, 50) > 0 {
                    var request: [UInt8] = Array(repeating: 0, count: 4_096)
                    if recv(connection, &request, request.count, 0) <= 0 { break }
                }
                if drips { _ = send(connection, [0], 1, Int32(MSG_NOSIGNAL)) }
            }
            close(connection)
        }
    }

    func stop() {
        // Wakes a thread that still waits for the connection, or is about to: its number stays taken until the tests end.
        shutdown(socket, Int32(SHUT_RDWR))
    }
}
