import Foundation
import Glibc

/// A port of this machine, and what it answers to bytes.
struct Port {
    private let number: Int

    /// A service that says nothing for so long hangs.
    private static let silenceSecondsMax = 20

    init(_ number: Int) { self.number = number }

    /// Sends, says that there is no more, and hears the answer out on a connection of its own.
    ///
    /// - Returns: nil where the service fell silent and kept the connection.
    func exchange(_ bytes: [UInt8]) -> [UInt8]? {
        let connection = connected()
        defer { close(connection) }
        var sent = 0
        while sent < bytes.count {
            let count = bytes[sent...].withUnsafeBytes {
                send(connection, $0.baseAddress, $0.count, Int32(MSG_NOSIGNAL))
            }
            // It may answer and hang up before it has read everything.
            guard count > 0 else { break }
            sent += count
        }
        shutdown(connection, Int32(SHUT_WR))
        var answer: [UInt8] = []
        var chunk = [UInt8](repeating: 0, count: 65_536)
        while true {
            let count = recv(connection, &chunk, chunk.count, 0)
            if count < 0, errno == EAGAIN { return nil }
            guard count > 0 else { return answer }
            answer += chunk[..<count]
        }
    }

    private func connected() -> Int32 {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_port = UInt16(number).bigEndian
        address.sin_addr.s_addr = UInt32(0x7F00_0001).bigEndian
        while true {
            let connection = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            precondition(connection >= 0, "a socket: errno \(errno)")
            var limit = timeval(tv_sec: Port.silenceSecondsMax, tv_usec: 0)
            setsockopt(
                connection, SOL_SOCKET, SO_RCVTIMEO, &limit, socklen_t(MemoryLayout<timeval>.size))
            let isConnected = withUnsafePointer(to: &address) { pointer in
                pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                    connect(connection, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
                }
            }
            if isConnected { return connection }
            close(connection)
            // All of this side's ports wait for late packets of earlier connections; a port that is gone for good is a hang.
            usleep(10_000)
        }
    }
}

/// What came back from a service over HTTP/1.1.
struct HTTPReply {
    let status: Int
    let isJSON: Bool
    let body: [UInt8]

    /// Nil for what does not begin as an answer.
    init?(_ bytes: [UInt8]) {
        guard let end = bytes.firstRange(of: Array("\r\n\r\n".utf8)) else { return nil }
        let head = String(decoding: bytes[..<end.lowerBound], as: UTF8.self).lowercased()
        let words = head.split(separator: " ", maxSplits: 2)
        guard words.count > 1, words[0] == "http/1.1", let status = Int(words[1].prefix(3)) else {
            return nil
        }
        self.status = status
        isJSON = head.contains("application/json")
        let length =
            head.firstRange(of: "content-length: ").flatMap {
                Int(head[$0.upperBound...].prefix { $0.isNumber })
            } ?? 0
        body = Array(bytes[end.upperBound...].prefix(length))
    }
}
