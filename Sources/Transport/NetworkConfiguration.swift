import Consensus
import Ledger
import Logging

/// A host and a port, written `host:port`, IPv6 hosts in brackets.
public struct HostPort: Sendable, Hashable, CustomStringConvertible {
    public let host: String
    public let port: Int

    public init(host: String, port: Int) {
        self.host = host
        self.port = port
    }

    public init?(_ text: String) {
        guard let colon = text.lastIndex(of: ":"),
            let port = UInt16(text[text.index(after: colon)...])
        else { return nil }
        var host = text[..<colon]
        if host.hasPrefix("["), host.hasSuffix("]") { host = host.dropFirst().dropLast() }
        guard !host.isEmpty else { return nil }
        self.init(host: String(host), port: Int(port))
    }

    public var description: String { host.contains(":") ? "[\(host)]:\(port)" : "\(host):\(port)" }
}

/// Another node: the keys that it may show, and where it listens.
public struct PeerEndpoint: Sendable, Hashable {
    /// The network's number for it, which stays the same for as long as it is a peer.
    public let index: Int
    /// What people call it in logs: a validator's member id, an observer's name.
    public let name: String
    /// DER SubjectPublicKeyInfo, compared byte for byte with the certificate's; the newest first. While a peer changes over
    /// it may show any of them, and once it has shown the newest, no other.
    public let transportKeys: [[UInt8]]
    /// Nil for an observer: it dials this node, and is answered on the connection that it made.
    public let address: HostPort?

    public init(index: Int, name: String, transportKeys: [[UInt8]], address: HostPort?) {
        self.index = index
        self.name = name
        self.transportKeys = transportKeys
        self.address = address
    }

    public init(index: Int, name: String, transportKey: [UInt8], host: String, port: Int) {
        self.init(
            index: index, name: name, transportKeys: [transportKey],
            address: HostPort(host: host, port: port))
    }

    public var isObserver: Bool { address == nil }
}

/// Every bound of the peer network. Sizes in bytes, times in milliseconds.
public struct NetworkLimits: Sendable {
    /// The longest frame payload; a longer one ends the connection before it is read.
    public var frameBytesMax = PeerLimits.message.bytesMax
    /// The longest first frame: a hello is shorter than this.
    public var helloBytesMax = 512
    /// What may wait for one connected peer, all priorities together; more than one longest frame.
    public var outboxBytesMax = 40 * 1_048_576
    /// What may wait for a peer that is not connected; bulk frames never wait for one.
    public var offlineBytesMax = 4 * 1_048_576
    /// Connections accepted whose hello has not come yet.
    public var strangersMax = 64
    /// From accepting or dialling to the peer's hello.
    public var helloTimeoutMs: Int64 = 5_000
    /// A connection that wrote nothing for this long sends an empty frame.
    public var keepaliveMs: Int64 = 2_000
    /// A connection that read nothing for this long is closed.
    public var silenceMs: Int64 = 10_000
    /// A connection that another of the same peer has replaced is closed after this long, when all that was under way on
    /// it has arrived.
    public var replacedMs: Int64 = 2_000
    /// The longest frame payload from an observer: a submission of the longest transactions fits.
    public var observerFrameBytesMax = 8 * 1_048_576
    /// What may wait for one observer; beyond it the oldest goes, and the observer asks for it later. The longest message fits.
    public var observerOutboxBytesMax = 40 * 1_048_576
    /// Observers connected at the same time.
    public var observersMax = 32
    /// What an observer may send and ask for; it is read no faster.
    public var observerAllowance = Allowance(
        unitsPerSecond: 524_288, unitsMax: 2_097_152, unitsPerFrame: 4_096,
        // Two rounds of reading, 4 × 256 KiB each, of frames of 64 bytes.
        unitsOwedMax: 2 * 16_384 * 4_160)
    /// A peer that misbehaves is cut off for this long, doubling with each repetition up to the maximum, each time shortened at
    /// random by up to half. After ten times the maximum without another offence it counts as well-behaved again.
    public var banMs: Int64 = 1_000
    public var banMsMax: Int64 = 60_000
    /// Reconnection waits between these two, doubling, each wait shortened at random by up to half.
    public var redialMs: Int64 = 50
    public var redialMsMax: Int64 = 2_000

    public init() {}
}

/// Who this node is on the network, and whom it talks to.
public struct NetworkConfiguration: Sendable {
    public var identity: TransportIdentity
    public var chain: ChainID
    /// Port 0 lets the system choose; `PeerNetwork.port` says which it chose. Nil for an observer, which only dials.
    public var listen: HostPort?
    public var peers: [PeerEndpoint]
    public var limits: NetworkLimits
    public var logger: Logger

    public init(
        identity: TransportIdentity, chain: ChainID, listen: HostPort?, peers: [PeerEndpoint],
        limits: NetworkLimits = NetworkLimits(), logger: Logger
    ) {
        self.identity = identity
        self.chain = chain
        self.listen = listen
        self.peers = peers
        self.limits = limits
        self.logger = logger
    }
}

/// Why a connection was refused or given up. The numbers of each are kept for `/metrics`.
public enum NetworkProblem: String, Error, Sendable, CaseIterable {
    case unreachable
    case closed
    /// The certificate holds a key that is not the validator's.
    case wrongKey
    case wrongChain
    case wrongVersion
    case badHello
    case helloTimeout
    case frameTooLarge
    /// A frame on a connection that this side only writes to.
    case unexpectedFrame
    case silent
    case tooManyStrangers
    case tooManyObservers
    case tlsFailed
    /// Another connection of the same peer took its place.
    case replaced
    /// The peer misbehaved a short while ago.
    case banned
    /// An observer sent far more than it may.
    case overdrawn
    /// A frame that is no message of the protocol.
    case undecodable
    /// A signature that is not valid, from a peer that checks before it passes anything on.
    case forged
    /// A message that an observer has no business to send.
    case notPermitted

    /// Whether it is the peer's fault beyond doubt, so that it is cut off for a while.
    var isOffence: Bool {
        switch self {
        case .frameTooLarge, .unexpectedFrame, .undecodable, .forged, .notPermitted: true
        case .unreachable, .closed, .wrongKey, .wrongChain, .wrongVersion, .badHello, .helloTimeout,
            .silent, .tooManyStrangers, .tooManyObservers, .tlsFailed, .replaced, .banned,
            .overdrawn:
            false
        }
    }

    /// For logs and status pages, English / 中文.
    public var message: String {
        switch self {
        case .unreachable: "the peer cannot be reached / 无法连接对端"
        case .closed: "the connection ended / 连接已断开"
        case .wrongKey:
            "the certificate's key is not the one in the validator set / 证书公钥与记账节点集合不符"
        case .wrongChain: "the peer is on another chain / 对端属于另一条链"
        case .wrongVersion: "the peer speaks another protocol version / 对端协议版本不同"
        case .badHello: "the first frame is not a hello / 首帧不是握手帧"
        case .helloTimeout: "no hello came in time / 握手超时"
        case .frameTooLarge: "a frame is longer than allowed / 帧长度超限"
        case .unexpectedFrame: "a frame came on a one-way connection / 单向连接上收到数据帧"
        case .silent: "nothing came for too long / 对端长时间无数据"
        case .tooManyStrangers: "too many connections without a hello / 未握手连接过多"
        case .tooManyObservers: "too many observers are connected / 观察节点连接过多"
        case .replaced: "another connection took its place / 已由新连接取代"
        case .banned: "the peer misbehaved a short while ago / 对端行为不当，暂时拒绝"
        case .overdrawn: "an observer sent far more than it may / 观察节点发送量远超额度"
        case .undecodable: "a frame is no message of the protocol / 数据帧无法解码"
        case .forged: "the peer passed on a signature that is not valid / 对端转发了无效签名"
        case .notPermitted: "an observer may not send this / 观察节点无权发送该消息"
        case .tlsFailed: "the TLS handshake failed / TLS 握手失败"
        }
    }
}

/// Why the network could not start.
public enum NetworkError: Error, Sendable, CustomStringConvertible {
    case certificateUnreadable(String)
    case privateKeyUnreadable(String)
    case keyMismatch
    case cannotListen(host: String, port: Int, reason: String)

    public var description: String {
        switch self {
        case .certificateUnreadable(let why):
            "the transport certificate is not PEM of one X.509 certificate: \(why) "
                + "/ 传输证书不是有效的 PEM"
        case .privateKeyUnreadable(let why):
            "the transport key is not a PEM private key: \(why) / 传输私钥不是有效的 PEM"
        case .keyMismatch:
            "the transport key does not belong to the transport certificate / 传输私钥与证书不匹配"
        case .cannotListen(let host, let port, let reason):
            "listen: cannot listen on \(host):\(port): \(reason); "
                + "name an address of this machine and a free port "
                + "/ 无法监听该地址，请改用本机地址与空闲端口"
        }
    }
}
