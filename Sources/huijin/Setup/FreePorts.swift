import Client
import Glibc

/// TCP ports of the loopback address that nobody listens on at the moment.
enum FreePorts {
    /// - Parameter base: take `base…` as they are; where nil the system chooses.
    static func find(_ count: Int, from base: Int?) throws -> [Int] {
        if let base {
            guard base > 0, base + count <= 65_536 else {
                throw SetupError(
                    file: "--base-port", english: "it must leave \(count) ports below 65536",
                    chinese: "其后须有 \(count) 个端口可用")
            }
            return Array(base..<(base + count))
        }
        // All are held open together, so that none is found twice.
        var sockets: [Int32] = []
        defer { for socket in sockets { close(socket) } }
        return try (0..<count).map { _ in
            let (socket, port) = try open()
            sockets.append(socket)
            return port
        }
    }

    private static func open() throws -> (Int32, Int) {
        let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        var length = socklen_t(MemoryLayout<sockaddr_in>.size)
        let result = withUnsafeMutablePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) { generic in
                guard bind(descriptor, generic, length) == 0 else { return Int32(-1) }
                return getsockname(descriptor, generic, &length)
            }
        }
        guard descriptor >= 0, result == 0 else {
            close(descriptor)
            throw SetupError(
                file: "127.0.0.1", english: "no free TCP port was found; give --base-port",
                chinese: "找不到空闲端口，请用 --base-port 指定")
        }
        return (descriptor, Int(UInt16(bigEndian: address.sin_port)))
    }
}
