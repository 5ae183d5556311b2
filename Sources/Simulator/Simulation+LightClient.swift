import Encoding
import Ledger
import LedgerCrypto
import LightClient
import Merkle
import Records
import Storage

/// The light client beside the network: what is final it must accept, with the very outcome that was committed, and
/// what is not it must refuse, whoever below a quorum has signed it.
extension Simulation {
    /// Real signatures: the light client checks nothing else, and it is the production one.
    func checkLightClient(_ seat: Int) {
        guard let store = nodes[seat].store else { return }
        // In the order of the chain; another node may have committed more.
        let known = checker.finalIDs.prefix {
            checker.finalHeight($0) ?? .max <= store.watermark.height
        }
        guard !known.isEmpty else { return }
        let id = known[random.below(known.count)]
        guard let height = checker.finalHeight(id),
            let source = StoreEvidence(
                store, changes: epochChanges(upTo: store.header.epoch),
                signers: signers(of: store.header.epoch), height: height, id: id)
        else { return fail("the light client: v\(seat) has no evidence of \(id)") }
        let bundle: EvidenceBundle
        do throws(EvidenceSourceError) {
            bundle = try EvidenceBundle.answering([.transaction(id)], from: source)
        } catch {
            return fail("the light client: v\(seat) makes no evidence of \(id): \(error)")
        }
        let verifier = Verifier(genesis: workload.genesis)
        do throws(EvidenceProblem) {
            let answer = try verifier.verify(bundle.encoded, asked: [.transaction(id)])
            guard answer.checkpoint.digest == checker.header(answer.height) else {
                return fail("the light client took a header that is not final")
            }
            counts[.lightClientChecks] += 1
        } catch {
            return fail("the light client refused the truth: \(error.english)")
        }
        guard case .certified(let certified, let changes) = bundle.head else {
            return fail("the light client: v\(seat) gave a detached bundle of \(id)")
        }
        for (name, lie) in lies(about: bundle, certified, changes) {
            // A bundle that takes another form than any honest one ends when it is decoded.
            if (try? verifier.verify(lie.encoded, asked: [.transaction(id)])) != nil {
                return fail("the light client took a lie: \(name)")
            }
            counts[.lightClientRefusals] += 1
        }
    }

    /// By their seats.
    private func signers(of epoch: UInt64) -> [SigningKey] {
        sets[Int(epoch)].validators.compactMap {
            workload.votingKeyNumbers[$0.votingKey.keyID].map { workload.votingKeys[$0] }
        }
    }

    /// The ends of the epochs before one, certified anew with real keys by those who did it in the simulation.
    private func epochChanges(upTo epoch: UInt64) -> [EpochChange] {
        (0..<Int(epoch)).map { ended in
            let (header, certificate) = epochEnds[ended]
            return EpochChange(
                header: header,
                certificate: certificate.kind == .recover
                    ? certificate
                    : .signed(
                        certificate.statement, by: certificate.signatures.map(\.validator),
                        keys: signers(of: UInt64(ended)), honest: .max, chain: workload.chain),
                next: sets[ended + 1])
        }
    }

    private func lies(
        about bundle: EvidenceBundle, _ certified: CertifiedHeader, _ changes: [EpochChange]
    ) -> [(String, EvidenceBundle)] {
        let (header, certificate) = (certified.header, certified.certificate)
        func with(_ header: Header, _ certificate: Certificate) -> EvidenceBundle {
            var lie = bundle
            lie.head = .certified(
                CertifiedHeader(header: header, certificate: certificate), after: changes)
            return lie
        }
        let set = sets[Int(header.epoch)]
        let keys = signers(of: set.epoch)
        let quorum = set.quorum
        let minority = Quorum.faultsTolerated(set.count)
        let signers = certificate.signatures.map(\.validator)
        let short = Certificate(
            statement: certificate.statement,
            signatures: Array(certificate.signatures.prefix(quorum - 1)))
        // Another state, signed by as many as may be dishonest, and in the names of the rest.
        let other = Header(
            chain: header.chain, height: header.height, epoch: header.epoch, parent: header.parent,
            timeMs: header.timeMs, logSize: header.logSize, logRoot: header.logRoot,
            stateRoot: workload.genesis.suite.digest([0xFF]), resultsRoot: header.resultsRoot,
            entryCount: header.entryCount, validators: header.validators,
            nextValidators: header.nextValidators)
        let fork = Certificate.signed(
            .finalize(
                epoch: header.epoch, view: certificate.view,
                VoteSubject(other, suite: workload.genesis.suite)),
            by: signers, keys: keys, honest: minority, chain: workload.chain)
        var outcome = bundle
        outcome.entries = bundle.entries.map {
            EntryEvidence(
                height: $0.height, position: $0.position, content: $0.content, code: $0.code ^ 1,
                resultsPath: $0.resultsPath, logPath: $0.logPath)
        }
        // The votes of a notarization are no finalization.
        let notarized = Certificate.signed(
            .notarize(
                epoch: header.epoch, view: certificate.view,
                VoteSubject(header, suite: workload.genesis.suite)),
            by: signers, keys: keys, honest: signers.count, chain: workload.chain)
        return [
            ("a quorum less one", with(header, short)), ("a fork signed by f", with(other, fork)),
            ("another header", with(other, certificate)), ("another outcome", outcome),
            ("a notarization", with(header, notarized)),
        ]
    }
}

extension Certificate {
    /// - Parameter honest: how many of the signers sign this very statement; the others' signatures are over another.
    fileprivate static func signed(
        _ statement: VoteStatement, by signers: [Int], keys: [SigningKey], honest: Int,
        chain: ChainID
    ) -> Certificate {
        Certificate(
            statement: statement,
            signatures: signers.enumerated().map { index, signer in
                let key = keys[signer]
                let publicKey = key.publicKey
                let signed =
                    index < honest
                    ? statement : VoteStatement.nullify(epoch: statement.epoch, view: 0)
                let message = signed.signedBytes(
                    chain: chain, suite: publicKey.suite, keyID: publicKey.keyID)
                return CertificateSignature(validator: signer, signature: key.sign(message))
            })
    }
}

/// A store as a source of evidence about one transaction, its certificate signed anew with real keys by those who
/// signed it in the simulation.
private struct StoreEvidence: EvidenceSource {
    let store: Store
    let certified: (header: Header, certificate: Certificate)
    let place: (height: UInt64, position: UInt64)
    let changes: [EpochChange]

    init?(
        _ store: Store, changes: [EpochChange], signers keys: [SigningKey], height: UInt64,
        id: Digest
    ) {
        self.store = store
        self.changes = changes
        guard let finalization = try? store.finalization(from: store.watermark.height),
            let block = try? store.block(height)?.block
        else { return nil }
        let position = block.entries.firstIndex { entry in
            guard case .envelope(let bytes) = entry else { return false }
            let envelope = try? Envelope(bytes: bytes, chain: store.chain, suite: store.suite)
            return envelope?.id == id
        }
        guard let position else { return nil }
        place = (height, UInt64(position))
        let stated = finalization.certificate
        certified = (
            store.header,
            .signed(
                stated.statement, by: stated.signatures.map(\.validator), keys: keys,
                honest: keys.count, chain: store.chain)
        )
    }

    var suite: Suite { store.suite }
    func checkpoint() -> (header: Header, certificate: Certificate)? { certified }
    func epochChanges() -> [EpochChange]? { changes }
    func block(height: UInt64) -> Block? { try? store.block(height)?.block }
    func outcomes(height: UInt64) -> [EntryOutcome]? { try? store.block(height)?.outcomes(suite) }
    func logPath(index: UInt64, size: UInt64) -> [Digest]? {
        LogProof.inclusionPath(index: index, size: size, reader: store, suite: suite)
    }
    func stateProof(key: Digest) -> (value: [UInt8]?, proof: MapProof)? {
        (store.value(for: key), MapOverlay(base: store).proof(for: key).proof)
    }
    func events(asset: Digest, log: EventLogKind) -> [[UInt8]]? { nil }
    func locate(transaction id: Digest) -> (height: UInt64, position: UInt64)? { place }
}
