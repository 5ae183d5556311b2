import Encoding
import Files
import Ledger
import LedgerCrypto
import LightClient
import Replica
import Storage

extension ReplicaLoop {
    /// Goes on with a recovery after the loss of a quorum, or stops where it is not for this node. One that has been taken already, as
    /// by a service that always starts with it, changes nothing; a node that is behind follows those who take it.
    func take(_ recovery: Recovery) {
        let header = recovery.last.header
        switch replica.refusal(of: recovery, nowMs: Clock.wallMs()) {
        case .otherEpoch(let found, let expected) where found < expected:
            do throws(StorageError) {
                guard try store.epochChanges(before: found + 1).last?.header == header else {
                    return stop(.recovery(.conflicts(height: header.height)))
                }
                logger.notice("the recovery was taken before / 该恢复此前已采用")
            } catch {
                stop(.storage(error))
            }
        case .behind(let finalHeight, _):
            logger.notice(
                "behind the recovery, which comes from the others / 落后于该恢复，将由其他节点同步",
                metadata: ["height": "\(finalHeight)"])
        case let refusal?: stop(.recovery(refusal))
        case nil:
            drive(.recovery(recovery))
            guard replica.finalDigest == header.digest(genesis.suite) else {
                return stop(.recovery(.notExecuted(height: header.height)))
            }
            logger.notice(
                "went on by a recovery under the genesis' rule / 已依创世恢复规则继续",
                metadata: ["height": "\(header.height)", "epoch": "\(header.epoch + 1)"])
        }
    }

    /// Elsewhere a block was certified that the final history here does not lead to: by a recovery as a rule. The node goes on:
    /// which history is the one to keep, people decide, and a recovery that was signed and not used must not be a means to stop a
    /// ledger that lives.
    ///
    /// A crash before the file is written leaves it to be found again.
    func contradicted(by header: Header, _ certificate: Certificate) {
        shared.status.withLock { $0.contradiction = header }
        logger.critical(
            "\(certificate.kind == .recover ? "a recovery made final" : "validators certified") a block that is not of the history here: two histories (docs/operations.md) / 其他节点有不属于本节点历史的已认证区块：出现两份经认证的历史",
            metadata: [
                "height": "\(header.height)", "epoch": "\(header.epoch)",
                "header": "\(header.digest(genesis.suite).hex)",
                "final": "\(replica.finalHeight)",
                "certificate": "\(Hex.encode(certificate.encoded))",
            ])
        do {
            guard
                let fork = try fork(with: CertifiedHeader(header: header, certificate: certificate))
            else {
                return logger.critical(
                    "no file: that block is above what is final here, and the two headers alone do not contradict each other / 无证据文件：该区块高于本节点的终局高度，仅凭两个区块头尚不矛盾"
                )
            }
            let path = "\(dataDirectory)/fork-\(header.digest(genesis.suite).hex).cbor"
            // A full disk may have left a part of it.
            if !WholeFile.isThere(path, fork.encoded) {
                try WholeFile.replace(path, fork.encoded)
            }
            logger.critical(
                "anybody can check it with huijin-verify fork / 任何人可用该命令核验",
                metadata: ["file": "\(path)"])
        } catch {
            logger.error("the evidence cannot be kept / 无法保存分叉证据", metadata: ["error": "\(error)"])
        }
    }

    /// Both histories' certified headers; nil where the two headers alone do not contradict each other, since the recovery's block is
    /// above the final one here: then this node's blocks below it are the other history, and the log says all there is.
    private func fork(with recovered: CertifiedHeader) throws -> ForkEvidence? {
        let changes = try store.epochChanges(before: replica.simplex.epoch)
        guard let own = try store.finalization(from: store.watermark.height),
            case .trusted(let trust, _) = try TrustedChain(genesis: genesis).advance(
                to: CertifiedHeader(header: store.header, certificate: own.certificate),
                epochChanges: changes),
            case .fork(let evidence) = try trust.advance(to: recovered)
        else { return nil }
        return evidence
    }
}
