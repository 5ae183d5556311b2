import Consensus
import Ledger
import Logging

/// Another validator's node: where it listens, and the one key that it may show.
public struct PeerEndpoint: Sendable, Hashable {
    /// Position in the validator set.
    public let index: Int
    /// What people call it in logs: the validator's member id.
    public let name: String
    /// DER SubjectPublicKeyInfo, compared byte for byte with the certificate's.
    public let transportKey: [UInt8]
    public let host: String
    public let port: Int

    public init(index: Int, name: String, transportKey: [UInt8], host: String, port: Int) {
        self.index = index
        self.name = name
        self.transportKey = transportKey
        self.host = host
        self.port = port
    }
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
    /// Reconnection waits between these two, doubling, each wait shortened at random by up to half.
    public var redialMs: Int64 = 50
    public var redialMsMax: Int64 = 2_000

    public init() {}
}

/// Who this node is on the network, and whom it talks to.
public struct NetworkConfiguration: Sendable {
    /// This node's position in the validator set.
    public var index: Int
    public var identity: TransportIdentity
    public var chain: ChainID
    public var listenHost: String
    /// 0 lets the system choose; `PeerNetwork.port` says which it chose.
    public var listenPort: Int
    public var peers: [PeerEndpoint]
    public var limits: NetworkLimits
    public var logger: Logger

    public init(
        index: Int, identity: TransportIdentity, chain: ChainID, listenHost: String,
        listenPort: Int, peers: [PeerEndpoint], limits: NetworkLimits = NetworkLimits(),
        logger: Logger
    ) {
        self.index = index
        self.identity = identity
        self.chain = chain
        self.listenHost = listenHost
        self.listenPort = listenPort
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
    case tlsFailed

    /// For logs and status pages, English / 中文.
    public var message: String {
        switch self {
        case .unreachable: "the peer cannot be reached / 无法连接对端"
        case .closed: "the connection ended / 连接已断开"
        case .wrongKey:
            "the certificate's key is not the one in the validator set / 证书公钥与记账节点名册不符"
        case .wrongChain: "the peer is on another chain / 对端属于另一条链"
        case .wrongVersion: "the peer speaks another protocol version / 对端协议版本不同"
        case .badHello: "the first frame is not a hello / 首帧不是握手帧"
        case .helloTimeout: "no hello came in time / 握手超时"
        case .frameTooLarge: "a frame is longer than allowed / 帧长度超限"
        case .unexpectedFrame: "a frame came on a one-way connection / 单向连接上收到数据帧"
        case .silent: "nothing came for too long / 对端长时间无数据"
        case .tooManyStrangers: "too many connections without a hello / 未握手连接过多"
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
