import Foundation
import Glibc

/// TCP ports of 127.0.0.1 that nobody has at the moment, for networks on one machine.
///
/// Not from the range that the system takes for outgoing connections (`ip_local_port_range`): a server that is away for a
/// moment would find its port taken by somebody's connection.
public enum FreePorts {
    public struct NoneLeft: Error {}

    static let lowest = 10_240
    static let highest = 65_535
    /// Linux's default, where the system's own does not tell.
    static let outgoingStandard = 32_768...60_999

    /// - Returns: `count` different ports, which are free until somebody else takes them.
    public static func find(_ count: Int) throws(NoneLeft) -> [Int] {
        let outgoing = self.outgoing
        let places = (lowest...highest).filter { !outgoing.contains($0) }
        // Another start each time, so that two who look at the same time find others.
        let start = places.isEmpty ? 0 : Int.random(in: 0..<places.count)
        var sockets: [Int32] = []
        // All are held open together, so that none is found twice.
        defer { for socket in sockets { close(socket) } }
        var found: [Int] = []
        for port in places[start...] + places[..<start] where found.count < count {
            let descriptor = socket(AF_INET, Int32(SOCK_STREAM.rawValue), 0)
            guard descriptor >= 0 else { throw NoneLeft() }
            sockets.append(descriptor)
            if bind(descriptor, to: port) {
                found.append(port)
            } else {
                close(sockets.removeLast())
            }
        }
        guard found.count == count else { throw NoneLeft() }
        return found
    }

    private static func bind(_ descriptor: Int32, to port: Int) -> Bool {
        var address = sockaddr_in()
        address.sin_family = sa_family_t(AF_INET)
        address.sin_addr.s_addr = in_addr_t(0x7F00_0001).bigEndian
        address.sin_port = in_port_t(port).bigEndian
        return withUnsafePointer(to: &address) { pointer in
            pointer.withMemoryRebound(to: sockaddr.self, capacity: 1) {
                Glibc.bind(descriptor, $0, socklen_t(MemoryLayout<sockaddr_in>.size)) == 0
            }
        }
    }

    private static var outgoing: ClosedRange<Int> {
        let path = "/proc/sys/net/ipv4/ip_local_port_range"
        let numbers = (try? String(contentsOfFile: path, encoding: .utf8))?
            .split(whereSeparator: \.isWhitespace).compactMap { Int($0) }
        guard let numbers, numbers.count == 2, numbers[0] <= numbers[1] else {
            return outgoingStandard
        }
        return numbers[0]...numbers[1]
    }
}
