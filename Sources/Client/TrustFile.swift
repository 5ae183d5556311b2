import Encoding
import Files
import LedgerCrypto
import LightClient
import Synchronization

/// Why a trust file proves nothing.
public enum TrustFileProblem: Error, Equatable, Sendable, CustomStringConvertible {
    /// The evidence of two certified histories lies beside it.
    case fork(evidence: String)
    case unusable(SetupError)

    public var english: String {
        switch self {
        case .fork(let evidence):
            "two certified histories are known, see \(evidence): this trust file proves nothing"
        case .unusable(let error): "\(error.file): \(error.english)"
        }
    }

    public var chinese: String {
        switch self {
        case .fork(let evidence): "已知存在两份经认证的历史，见 \(evidence)：不以该信任文件作任何证明"
        case .unusable(let error): "\(error.file)：\(error.chinese)"
        }
    }

    public var description: String { "\(english) / \(chinese)" }
}

/// What is trusted of a ledger, in the file that `huijin-verify --trust` and `huijin watch` keep. Here it is only read.
public struct TrustFile: Sendable, Equatable {
    public let path: String

    public init(_ path: String) { self.path = path }

    /// What it holds now.
    public func read() throws(TrustFileProblem) -> TrustedChain { try decode(bytes()) }

    /// What it holds, be there evidence of a fork beside it or not: for looking at that very evidence.
    public func contested() throws(TrustFileProblem) -> TrustedChain { try decode(content()) }

    /// - Throws: `.fork` before anything else.
    fileprivate func bytes() throws(TrustFileProblem) -> [UInt8] {
        let evidence: String?
        do throws(WholeFile.Problem) {
            evidence = try WholeFile.first(beside: path, marked: EvidenceMark.fork.rawValue)
        } catch {
            throw .unusable(
                SetupError(
                    file: error.path, english: "it cannot be read: \(error.reason.english)",
                    chinese: "无法读取：\(error.reason.chinese)", isMissing: true))
        }
        if let evidence { throw .fork(evidence: evidence) }
        return try content()
    }

    private func content() throws(TrustFileProblem) -> [UInt8] {
        do throws(SetupError) {
            return try SetupFile.read(path, bytesMax: TrustedChain.limits.bytesMax)
        } catch {
            throw .unusable(error)
        }
    }

    fileprivate func decode(_ bytes: [UInt8]) throws(TrustFileProblem) -> TrustedChain {
        do throws(CBORError) {
            return try TrustedChain.decode(bytes, limits: TrustedChain.limits)
        } catch {
            throw .unusable(Self.isNone(path, error))
        }
    }

    /// The file is of another kind, or damaged.
    static func isNone(_ path: String, _ error: CBORError) -> SetupError {
        SetupError(
            file: path,
            english: "it is not a trust file (\(error.english)); check the path",
            chinese: "不是信任文件（\(error.chinese)），请检查路径")
    }
}

/// A client for a program that runs for long, whose trust file somebody else keeps up to date: each use of it rests on what
/// the file holds then, and on none while evidence of a fork lies beside it.
public final class TrustingClient: Sendable {
    private let file: TrustFile
    private let known: Mutex<Known>

    private struct Known {
        var bytes: [UInt8]
        var client: HuijinClient
    }

    /// - Parameter client: its own trust is replaced by the file's.
    public init(_ client: HuijinClient, _ file: TrustFile) throws(TrustFileProblem) {
        self.file = file
        let bytes = try file.bytes()
        let trust = try file.decode(bytes)
        do throws(ClientError) {
            known = Mutex(Known(bytes: bytes, client: try client.trusting(trust)))
        } catch {
            throw .unusable(
                SetupError(file: file.path, english: error.english, chinese: error.chinese))
        }
    }

    /// Whoever asks now; nothing that was proven to it before is forgotten.
    ///
    /// - Throws: `.invalid` while the file proves nothing. It may again later.
    public func current() throws(ClientError) -> HuijinClient {
        do throws(TrustFileProblem) {
            let bytes = try file.bytes()
            return try known.withLock { known throws(TrustFileProblem) in
                guard bytes != known.bytes else { return known.client }
                let trust = try file.decode(bytes)
                do throws(ClientError) {
                    known = Known(bytes: bytes, client: try known.client.trusting(trust))
                } catch {
                    throw .unusable(
                        SetupError(file: file.path, english: error.english, chinese: error.chinese))
                }
                return known.client
            }
        } catch {
            throw .invalid(english: error.english, chinese: error.chinese)
        }
    }
}

extension HuijinClient {
    /// The same client with other trust, and with what was proven to it.
    public func trusting(_ trust: TrustedChain) throws(ClientError) -> HuijinClient {
        let client = try HuijinClient(
            nodes: nodes, genesis: genesis, trust: trust, identity: identity, limits: limits,
            transport: transport)
        client.noteProven(height: provenHeight)
        return client
    }
}
