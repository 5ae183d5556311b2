import Consensus
import Encoding
import FuzzKit
import Ledger
import LedgerCrypto
import LightClient
import Market
import Merkle
import Records
import Storage

/// Every decoder of bytes from outside that needs no network, and the verifiers that stand on them.
enum Targets {
    static func all(_ corpus: Corpus) -> [FuzzTarget] {
        ground + ledger + records + network + lightClient + verifiers(corpus) + [body]
    }

    private static func same<Value: Equatable>(
        _ value: Value?, _ input: Value
    ) -> FuzzTarget.Verdict {
        value.map { $0 == input ? .same : .different } ?? .refused
    }

    // MARK: Decoders

    private static var ground: [FuzzTarget] {
        [
            .decoder("value", CBORValue.self, limits: LedgerLimits.envelope),
            .decoder("public key", PublicKey.self, limits: LedgerLimits.certificate),
            .decoder("encryption key", EncryptionPublicKey.self, limits: LedgerLimits.certificate),
            .decoder("cose sign1", CoseSign1.self, limits: LedgerLimits.envelope),
            .decoder("map proof", MapProof.self, limits: LedgerLimits.certificate),
            .decoder("map cover", MapCover.self, limits: SnapshotLimits.manifest),
            .decoder("log frontier", LogFrontier.self, limits: LedgerLimits.certificate),
            // The header is read before the checksum can be compared, so hardly anything changed is accepted.
            FuzzTarget("key file") { input in
                (try? EncryptedKeyFile.inspect(input)) == nil ? .refused : .same
            },
            FuzzTarget("base64url") { input in
                let text = String(decoding: input, as: UTF8.self)
                return same(Base64URL.decode(text).map(Base64URL.encode), text)
            },
            FuzzTarget("hex") { input in
                let text = String(decoding: input, as: UTF8.self)
                return same(Hex.decode(text).map(Hex.encode), text.lowercased())
            },
        ]
    }

    private static var ledger: [FuzzTarget] {
        [
            .decoder("header", Header.self, limits: LedgerLimits.certificate),
            .decoder("block", Block.self, limits: LedgerLimits.block),
            .decoder("transaction", Transaction.self, limits: LedgerLimits.envelope),
            .decoder("certificate", Certificate.self, limits: LedgerLimits.certificate),
            .decoder("validator set", ValidatorSet.self, limits: LedgerLimits.genesis),
            .decoder("genesis", Genesis.self, limits: LedgerLimits.genesis),
            .decoder("recovery", Recovery.self, limits: Recovery.limits),
            .decoder("vote", Vote.self, limits: LedgerLimits.certificate),
            .decoder("equivocation", Equivocation.self, limits: LedgerLimits.certificate),
        ] + Suite.allCases.flatMap { [envelope(Samples($0)), request(Samples($0))] }
    }

    private static var records: [FuzzTarget] {
        [
            .decoder("event", AssetEvent.self, limits: AssetEvent.limits),
            FuzzTarget("record") { input in
                guard let stored = try? StoredRecord.decode(input, limits: StoredRecord.limits),
                    let record = try? StoredRecord.decode(value: input)
                else { return .refused }
                return same(StoredRecord.encode(record, salt: stored.salt), input)
            },
        ]
    }

    private static var network: [FuzzTarget] {
        [
            .decoder("peer message", PeerMessage.self, limits: PeerLimits.message),
            .decoder("snapshot message", SnapshotMessage.self, limits: SnapshotMessage.limits),
            .decoder("snapshot manifest", SnapshotManifest.self, limits: SnapshotLimits.manifest),
            .decoder("snapshot state", StateChunk.self, limits: SnapshotLimits.chunk),
            .decoder("snapshot blocks", BlockChunk.self, limits: SnapshotLimits.chunk),
        ]
    }

    private static var lightClient: [FuzzTarget] {
        [
            .decoder("bundle", EvidenceBundle.self, limits: BundleMutants.limits),
            .decoder("trusted chain", TrustedChain.self, limits: TrustedChain.limits),
            .decoder("trust start", TrustStart.self, limits: TrustStart.limits),
            .decoder("certified header", CertifiedHeader.self, limits: LedgerLimits.certificate),
            .decoder("fork evidence", ForkEvidence.self, limits: ForkEvidence.limits),
            .decoder("receipt", Receipt.self, limits: Receipt.limits),
            .decoder("questions", QuestionList.self, limits: .standard),
            .decoder("event leaves", EventLeaves.self, limits: BundleMutants.limits),
            .decoder("watch list", WatchList.self, limits: WatchList.limits),
            FuzzTarget("question") { input in
                let text = String(decoding: input, as: UTF8.self)
                guard let asked = try? AskedQuestion(text) else { return .refused }
                let said = asked.question.text
                // What a terminal would obey is shown in quotation marks, and cannot be asked in words.
                return said.contains("\"") ? .same : same(try? AskedQuestion(said), asked)
            },
            FuzzTarget("cosignature") { input in
                let text = String(decoding: input, as: UTF8.self)
                return same(
                    LogCosignature(line: text).map { Array($0.line.utf8) },
                    Array("\(text)\n".utf8))
            },
            FuzzTarget("log note") { input in
                guard let note = try? LogNote(input) else { return .refused }
                // Signature lines are anybody's; what they cover is said in one way.
                let head = Array("\(note.checkpoint.text)\n".utf8)
                return same(head, Array(input.prefix(head.count)))
            },
            FuzzTarget("verifier key") { input in
                let text = String(decoding: input, as: UTF8.self)
                return same(
                    LogCosigner(verifierKey: text).map { Array($0.verifierKey.utf8) },
                    Array(text.utf8))
            },
            .decoder(
                "transparent statement", TransparentStatement.self,
                limits: TransparentStatement.limits),
        ]
    }

    /// A transaction's body, after the kind that says how to read it.
    private static var body: FuzzTarget {
        struct Visitor: BodyVisitor {
            func visit<Body: TransactionBody>(
                _: Body.Type, _ bytes: inout [UInt8]
            ) -> FuzzTarget.Verdict {
                Targets.same(
                    (try? Body.decode(bytes, limits: LedgerLimits.envelope))?.encoded, bytes)
            }
        }
        return FuzzTarget("body") { input in
            guard
                case .array(let parts)? = try? CBORValue.decode(
                    input, limits: LedgerLimits.envelope), parts.count == 2,
                case .unsigned(let number) = parts[0], case .bytes(var bytes) = parts[1],
                let kind = TransactionKind(rawValue: number)
            else { return .refused }
            return kind.accept(Visitor(), &bytes)
        }
    }

    // MARK: Signed messages

    /// Either form. What a batch is known by must accept just what the envelope's own signature does.
    private static func envelope(_ samples: Samples) -> FuzzTarget {
        let key = samples.memberKey.publicKey
        let chain = samples.genesis.chain
        func decoded(_ bytes: [UInt8]) -> Envelope? {
            try? Envelope(bytes: bytes, chain: chain, suite: samples.suite)
        }
        return FuzzTarget("envelope \(samples.suite.name)") { input in
            guard let envelope = decoded(input) else { return .refused }
            // A changed envelope may decode; its signature must not hold.
            guard envelope.verified(by: key) != nil else {
                let isKnown = envelope.batchClaim(under: key)?.verified() != nil
                return isKnown ? .different : .refused
            }
            // What is signed is one of the sample's transactions.
            return samples.transactions.contains(envelope.transaction) ? .same : .different
        }
    }

    /// A node's `Authorization` header.
    private static func request(_ samples: Samples) -> FuzzTarget {
        let key = samples.memberKey.publicKey
        return FuzzTarget("request \(samples.suite.name)") { input in
            let header = String(decoding: input, as: UTF8.self)
            guard
                let token = try? RequestToken(
                    header: header, chain: samples.genesis.chain, suite: samples.suite)
            else { return .refused }
            do {
                try token.check(
                    method: Samples.request.method, path: Samples.request.path,
                    nowMs: Samples.request.timeMs, key: key)
                return token.timeMs == Samples.request.timeMs ? .same : .different
            } catch {
                return .refused
            }
        }
    }

    // MARK: Verifiers

    /// From the bytes to the verdict: what is accepted proves just what the corpus proves.
    private static func verifiers(_ corpus: Corpus) -> [FuzzTarget] {
        Suite.allCases.flatMap { suite -> [FuzzTarget] in
            let verifier = Verifier(genesis: VerifierSamples.genesis(suite))
            let name = "verifier \(suite.name)"
            let plain = FuzzTarget(name) { _ in .refused }
            let known = corpus[plain].compactMap { bytes in
                (try? verifier.verify(bytes)).map { (bytes: bytes, answer: $0) }
            }
            let truths = known.map(\.answer)
            let headers = known.flatMap { Facts.headers($0.bytes, $0.answer) }
            let nowMs = VerifierSamples.nowMs
            func judge(_ answer: ProvenAnswer) -> FuzzTarget.Verdict {
                truths.contains { Facts.areSame(answer, $0, headers: headers) } ? .same : .different
            }
            return [
                FuzzTarget(name) { input in
                    guard let answer = try? verifier.verify(input) else { return .refused }
                    return judge(answer)
                },
                FuzzTarget("following \(suite.name)") { input in
                    guard case .proven(let followed)? = try? verifier.follow(input, nowMs: nowMs)
                    else { return .refused }
                    return judge(followed.answer)
                },
                FuzzTarget("receipts \(suite.name)") { input in
                    guard let receipts = try? verifier.receipts(input) else { return .refused }
                    for number in 0..<receipts.entryCount { _ = receipts.entry(number) }
                    return .same
                },
                FuzzTarget("statement \(suite.name)") { input in
                    (try? verifier.verifyStatement(input)) == nil ? .refused : .same
                },
                FuzzTarget("fork \(suite.name)") { input in
                    // Signatures of more validators, or fewer, name more or fewer of them; nobody else.
                    guard let fork = try? verifier.verifyFork(input) else { return .refused }
                    return fork.doubleSigners.allSatisfy { $0.seat < VerifierSamples.validators }
                        ? .same : .different
                },
            ] + witness(suite, bundle: known.first?.bytes)
        }
    }

    /// None of a corpus that has no bundle to witness.
    private static func witness(_ suite: Suite, bundle: [UInt8]?) -> [FuzzTarget] {
        let sample = bundle.flatMap { try? WitnessSample(suite, bundle: $0) }
        return [FuzzTarget("witness \(suite.name)") { sample?.judge($0) ?? .refused }]
    }
}
