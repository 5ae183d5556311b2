import Replica
import Storage
import Transport

/// Why a node ended.
public enum StopReason: Sendable, Equatable {
    /// Somebody asked for it.
    case requested
    /// The store cannot write any more, or gave back what it should not. Nothing acknowledged is lost.
    case storage(StorageError)
    /// Going on would contradict what a quorum certified.
    case fault(ReplicaFault)
    /// The recovery that it was started with is not for it.
    case recovery(RecoveryRefusal)

    public var isDiskFull: Bool {
        if case .storage(let error) = self { error.isDiskFull } else { false }
    }

    /// English / 中文.
    public var description: String {
        switch self {
        case .requested: "stopped as asked / 已按要求停止"
        case .storage(let error): error.description
        case .fault(let fault): "\(fault.description) / 节点已停止以免与法定多数矛盾"
        case .recovery(let refusal): refusal.description
        }
    }
}

/// Why a node did not start, or a request to it was not performed.
public enum NodeError: Error, Sendable, CustomStringConvertible {
    case storage(StorageError)
    case network(NetworkError)
    case stopped(StopReason)
    /// Too many requests of this kind wait already.
    case busy

    public var description: String {
        switch self {
        case .storage(let error): error.description
        case .network(let error): error.description
        case .stopped(let reason): "the node has stopped / 节点已停止: \(reason.description)"
        case .busy: "the node has too much to do; try again / 节点繁忙，请重试"
        }
    }
}
